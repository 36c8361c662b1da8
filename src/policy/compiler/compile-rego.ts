import { readCompiler } from './asset.ts';
import type { CompilerAnswer, CompilerRequest } from './protocol.ts';
import { runFilter } from './wasi-filter.ts';

/**
 * Runs OPA's compiler here and now: about a second and 300 MB, so only in a worker that ends afterwards. `module`: the compiler,
 * where it is at hand (warm-module.ts).
 */
export function compileRego(
  request: CompilerRequest,
  module: WebAssembly.Module = new WebAssembly.Module(readCompiler()),
): CompilerAnswer {
  const { exitCode, stdout, stderr } = runFilter(module, Buffer.from(JSON.stringify(request)));
  if (exitCode !== 0) throw new Error(stderr.trim().split('\n', 1)[0] || `exit code ${exitCode}`);
  return JSON.parse(stdout.toString());
}
