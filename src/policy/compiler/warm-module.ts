import { readCompiler } from './asset.ts';

/** How long V8's work is kept after it was last asked for; it is some 200 MB. */
const KEPT_MS = 60_000;

let kept: Promise<WebAssembly.Module> | undefined;
let timer: NodeJS.Timeout | undefined;

/**
 * OPA's compiler as a module that threads share: what V8 has made of it for one is there for the next, while each runs it in a
 * memory of its own. For whoever compiles again and again; the first time takes a second, the others a fifth of it.
 */
export async function warmModule(): Promise<WebAssembly.Module> {
  kept ??= WebAssembly.compile(readCompiler());
  timer ??= setTimeout(forget, KEPT_MS).unref();
  timer.refresh();
  try {
    return await kept;
  } catch (error) {
    forget();
    throw error;
  }
}

function forget(): void {
  clearTimeout(timer);
  kept = undefined;
  timer = undefined;
}
