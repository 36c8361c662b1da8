import { readCompiler } from './asset.ts';
import type { CompilerAnswer, CompilerRequest } from './protocol.ts';
import { runFilter } from './wasi-filter.ts';

/** Runs OPA's compiler here and now: about a second and 300 MB, so only in a worker that ends afterwards. */
export function compileRego(request: CompilerRequest): CompilerAnswer {
  const module = new WebAssembly.Module(readCompiler());
  const { exitCode, stdout, stderr } = runFilter(module, Buffer.from(JSON.stringify(request)));
  if (exitCode !== 0) throw new Error(stderr.trim().split('\n', 1)[0] || `exit code ${exitCode}`);
  return JSON.parse(stdout.toString());
}
