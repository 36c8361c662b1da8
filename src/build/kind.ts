import { MayflyError } from '../model/errors.ts';
import type { Kind } from '../model/function.ts';

/** Told from the exports: `alloc` and `handle` make a handler, `_start` a wagi command. */
export function kindOf(wasm: Uint8Array, path: string): Kind {
  const names = new Set(WebAssembly.Module.exports(compiled(wasm, path)).map((entry) => entry.name));
  if (names.has('handle') && names.has('alloc')) return 'handler';
  if (names.has('_start')) return 'wagi';
  throw new MayflyError('Cannot use this module: it is neither a handler nor a WASI command', {
    where: path,
    fix: 'Export alloc and handle (docs/reference/guest-abi.md), or _start.',
    code: 'unknown-kind',
  });
}

function compiled(wasm: Uint8Array, path: string): WebAssembly.Module {
  try {
    return new WebAssembly.Module(wasm as BufferSource);
  } catch (cause) {
    throw new MayflyError('Cannot use this file: it is not a WebAssembly module', {
      where: path,
      fix: cause instanceof Error ? cause.message : undefined,
      code: 'not-wasm',
      cause,
    });
  }
}
