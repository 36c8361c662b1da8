import { MayflyError } from '../../model/errors.ts';
import { HOST, PAGE_BYTES } from './host.ts';
import { Layout } from './layout.ts';
import { capMemories, checkModuleLimits, moduleLimits } from './module-limits.ts';
import { type ModuleParts, readModuleParts } from '../module/module-parts.ts';
import { ModuleWriter } from './module-writer.ts';
import { malformed, tooLarge, unsupported } from '../module/refusals.ts';
import { NON_NULL } from '../module/value-types.ts';

export interface PrepareOptions {
  /** Ceiling of all linear memories together, in bytes. */
  readonly memoryBytes: number;
}

export interface PreparedMemory {
  readonly initialPages: number;
  readonly maximumPages: number;
  /** Where its part of the dirty map begins, in bytes. */
  readonly mapBase: number;
  /** Bytes [start, end) outside of which the engine writes nothing at instantiation. */
  readonly dataStart: number;
  readonly dataEnd: number;
}

/** What an instance must know about its prepared module: plain data that structured clone copies. */
export interface PreparedInfo {
  readonly memories: readonly PreparedMemory[];
  /** Bytes of dirty map it needs. */
  readonly mapBytes: number;
  /** Whether there is a start function, exported as `mayfly:host start` instead of being run by the engine unbudgeted. */
  readonly hasStart: boolean;
}

export interface Prepared {
  readonly wasm: Uint8Array<ArrayBuffer>;
  readonly info: PreparedInfo;
}

/**
 * Rewrites a module once, at deploy, so that its instances can be put back to their initial state after every request and
 * stopped when their CPU budget is used up (ADR 0003). Throws MayflyError, code `invalid-module`, `unsupported-feature` or
 * `module-too-large`, saying what and where.
 */
export function prepare(wasm: Uint8Array, options: PrepareOptions): Prepared {
  validate(wasm);
  const parts = readModuleParts(wasm);
  checkModuleLimits(parts);
  refuseUnprovable(parts);
  const layout = new Layout(parts, capMemories(parts.memories, options.memoryBytes));
  const rewritten = new ModuleWriter(parts, layout).write();
  if (!WebAssembly.validate(rewritten)) {
    throw new MayflyError('Cannot prepare the module: rewriting it gave an invalid module', {
      fix: 'Please report this with the module.',
      code: 'unsupported-feature',
    });
  }
  return { wasm: rewritten, info: describe(parts, layout) };
}

function validate(wasm: Uint8Array): asserts wasm is Uint8Array<ArrayBuffer> {
  if (wasm.length > moduleLimits.bytes) {
    throw tooLarge(
      'its size in bytes',
      wasm.length,
      moduleLimits.bytes,
      'Strip debug information or split it.',
    );
  }
  const bytes = wasm as Uint8Array<ArrayBuffer>;
  if (WebAssembly.validate(bytes)) return;
  readModuleParts(bytes); // names unknown features and broken framing better than the engine does
  throw malformed('the engine does not accept it');
}

/** State that others can reach cannot be put back by an instance alone; and a global without a null has no spare value to save in. */
function refuseUnprovable(parts: ModuleParts): void {
  for (const { module, name, kind } of parts.imports) {
    if (kind === 'memory' || kind === 'table') {
      throw unsupported(
        `an imported ${kind}`,
        `${module}.${name}`,
        `Define the ${kind} in the module and export it.`,
      );
    }
  }
  if (parts.globals.slice(0, parts.importedGlobals).some((global) => global.mutable)) {
    throw unsupported('an imported mutable global', 'import section', 'Define the global in the module.');
  }
  if (parts.globals.some((global) => global.mutable && (global.type & NON_NULL) !== 0)) {
    throw unsupported(
      'a mutable global of non-null references',
      'global section',
      'Make the reference nullable.',
    );
  }
  for (const { name } of parts.exports) {
    if (name.startsWith(HOST))
      throw unsupported(`an export name that begins with ${HOST}`, name, 'Rename it.');
  }
}

function describe(parts: ModuleParts, layout: Layout): PreparedInfo {
  const memories = layout.memories.map(({ index, maximumPages, mapBase }) => {
    const initialPages = parts.memories[index]?.minimum ?? 0;
    return { initialPages, maximumPages, mapBase, ...dataRange(parts, index, initialPages) };
  });
  return { memories, mapBytes: layout.mapBytes, hasStart: parts.start !== null };
}

function dataRange(
  parts: ModuleParts,
  memory: number,
  pages: number,
): { dataStart: number; dataEnd: number } {
  let [dataStart, dataEnd] = [Infinity, 0];
  for (const segment of parts.data) {
    if (segment.memory !== memory || segment.length === 0) continue;
    if (segment.start === null) return { dataStart: 0, dataEnd: pages * PAGE_BYTES };
    dataStart = Math.min(dataStart, segment.start);
    dataEnd = Math.max(dataEnd, segment.start + segment.length);
  }
  return dataEnd === 0 ? { dataStart: 0, dataEnd: 0 } : { dataStart, dataEnd };
}
