import { MayflyError } from '../../model/errors.ts';
import type { Kind } from '../../model/function.ts';
import { allowedModules, allowedSignature } from './allowed-imports.ts';
import {
  type ExternalKind,
  type FunctionType,
  type ModuleParts,
  readModuleParts,
  type SizeLimits,
  signature,
} from '../module/module-parts.ts';

export interface ModuleDescription {
  readonly kind: Kind;
  readonly imports: readonly {
    readonly module: string;
    readonly name: string;
    readonly kind: ExternalKind;
  }[];
  readonly exports: readonly { readonly name: string; readonly kind: ExternalKind }[];
  /** In pages of 64 KiB, as the module declares them. */
  readonly memories: readonly SizeLimits[];
}

const CONTRACT = 'docs/reference/guest-abi.md has the contract.';

/**
 * Tells what a module is from its imports and exports, without compiling it. Throws MayflyError when it is neither a handler nor
 * a WASI command (`not-a-function`) or imports something else than the guest ABI offers (`import-refused`).
 */
export function inspect(wasm: Uint8Array): ModuleDescription {
  const parts = readModuleParts(wasm);
  checkImports(parts);
  return {
    kind: kindOf(parts),
    imports: parts.imports.map(({ module, name, kind }) => ({ module, name, kind })),
    exports: parts.exports.map(({ name, kind }) => ({ name, kind })),
    memories: parts.memories,
  };
}

function checkImports(parts: ModuleParts): void {
  for (const { module, name, kind, type } of parts.imports) {
    const allowed = allowedSignature(module, name);
    const where = `${module}.${name}`;
    if (allowed === null || type === null) {
      const fix = `A function may import functions of ${allowedModules.join(', ')} only. ${CONTRACT}`;
      throw refusedImport(
        `The module imports the ${kind} ${where}, which functions are not given`,
        where,
        fix,
      );
    }
    if (signature(type) !== allowed) {
      const what = `The module imports ${where} as ${signature(type)}, but it is ${allowed}`;
      throw refusedImport(what, where, CONTRACT);
    }
  }
}

function refusedImport(what: string, where: string, fix: string): MayflyError {
  return new MayflyError(what, { where, fix, code: 'import-refused', exitCode: 2 });
}

/** A handler exports `memory`, `alloc` and `handle`; a WASI command `memory` and `_start`. */
function kindOf(parts: ModuleParts): Kind {
  const handlerLacks = lacking(parts, { memory: null, alloc: '(i32) -> i32', handle: '(i32, i32) -> i64' });
  if (handlerLacks.length === 0) return 'handler';
  const commandLacks = lacking(parts, { memory: null, _start: '() -> ()' });
  if (commandLacks.length === 0) return 'wagi';
  const what =
    `The module is not a function: a handler would need ${handlerLacks.join(' and ')}; ` +
    `a WASI command ${commandLacks.join(' and ')}`;
  throw new MayflyError(what, { fix: CONTRACT, code: 'not-a-function', exitCode: 2 });
}

/** Which of the exports are missing or of another type. Null stands for memory 0. */
function lacking(parts: ModuleParts, wanted: Readonly<Record<string, string | null>>): string[] {
  return Object.entries(wanted).flatMap(([name, type]) => {
    const found = parts.exports.find((entry) => entry.name === name);
    if (type === null)
      return found?.kind === 'memory' && found.index === 0 ? [] : [`the export ${name} of memory 0`];
    const actual = found?.kind === 'function' ? signature(functionType(parts, found.index)) : null;
    if (actual === type) return [];
    return [`the export ${name} ${type}${actual === null ? '' : ` (it is ${actual})`}`];
  });
}

function functionType(parts: ModuleParts, index: number): FunctionType {
  return parts.types[parts.functions[index] as number] as FunctionType;
}
