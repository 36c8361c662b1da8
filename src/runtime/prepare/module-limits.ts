import { MAX_PAGES, PAGE_BYTES } from './host.ts';
import type { ModuleParts, SizeLimits } from '../module/module-parts.ts';
import { tooLarge, unsupported } from '../module/refusals.ts';
import { EXNREF } from '../module/value-types.ts';

/** What a module may ask of the host, beside memory. */
export const moduleLimits = {
  bytes: 64 * 1024 * 1024,
  functions: 200_000,
  /** Of one function: bounds the work between two looks at the clock (ADR 0003). */
  functionBytes: 2 * 1024 * 1024,
  globals: 10_000,
  memories: 8,
  tables: 16,
  /** Elements of all tables together. */
  tableElements: 1_048_576,
  /** Values an exception may carry: they live in the host's heap. */
  tagParameters: 16,
} as const;

/** Throws MayflyError when the module asks for more than `moduleLimits`. */
export function checkModuleLimits(parts: ModuleParts): void {
  check('the number of functions', parts.functions.length, moduleLimits.functions, 'Split the function.');
  check('the number of globals', parts.globals.length, moduleLimits.globals, 'Keep state in memory.');
  check('the number of memories', parts.memories.length, moduleLimits.memories, 'Use fewer memories.');
  check('the number of tables', parts.tables.length, moduleLimits.tables, 'Use fewer tables.');
  const elements = parts.tables.reduce((sum, table) => sum + table.limits.minimum, 0);
  check('the number of table elements', elements, moduleLimits.tableElements, 'Use smaller tables.');
  for (const type of parts.tags) {
    const { length } = parts.types[type]?.parameters ?? [];
    check(
      'the number of values in an exception',
      length,
      moduleLimits.tagParameters,
      'Pass a pointer instead.',
    );
  }
  if (parts.tables.some((table) => (table.element & 0xff) === EXNREF)) {
    throw unsupported('a table of exceptions', 'table section', 'Keep caught exceptions in locals.');
  }
}

export function checkFunctionLength(index: number, length: number): void {
  check(`the size in bytes of function ${index}`, length, moduleLimits.functionBytes, 'Split the function.');
}

/**
 * The maximum of every memory in pages, so that all together stay within `memoryBytes`: what is left after the
 * initial sizes is divided equally. `memory.grow` beyond answers −1, as the specification lets any engine do.
 */
export function capMemories(memories: readonly SizeLimits[], memoryBytes: number): number[] {
  const allowed = Math.floor(memoryBytes / PAGE_BYTES);
  const initial = memories.reduce((sum, memory) => sum + memory.minimum, 0);
  check(
    'its initial memory in pages of 64 KiB',
    initial,
    allowed,
    'Raise memory_limit or lower the initial memory.',
  );
  const spare = Math.floor((allowed - initial) / Math.max(1, memories.length));
  return memories.map(({ minimum, maximum }) => Math.min(maximum ?? MAX_PAGES, minimum + spare));
}

/** The maximum of every table, likewise. */
export function capTables(parts: ModuleParts): number[] {
  const initial = parts.tables.reduce((sum, table) => sum + table.limits.minimum, 0);
  const spare = Math.floor((moduleLimits.tableElements - initial) / Math.max(1, parts.tables.length));
  return parts.tables.map(({ limits }) =>
    Math.min(limits.maximum ?? Number.MAX_SAFE_INTEGER, limits.minimum + spare),
  );
}

function check(what: string, found: number, allowed: number, fix: string): void {
  if (found > allowed) throw tooLarge(what, found, allowed, fix);
}
