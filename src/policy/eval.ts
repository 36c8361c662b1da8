import { compilePolicy, type CompileOptions } from './compile.ts';
import { entrypointOf } from './compiler/refuse.ts';
import { runTask } from './worker/run-task.ts';

export interface EvaluationRequest {
  /** File name → Rego text. */
  readonly files: Readonly<Record<string, string>>;
  readonly data?: unknown;
  /** `data.shop.allow` (or `shop/allow`); a package gives all of its rules. */
  readonly rule: string;
  /** Absent: Rego's undefined, as in `opa eval` without --input. */
  readonly input?: unknown;
}

/**
 * One decision, as `mayfly policy eval` prints it: the rule's value, or undefined. Always by OPA's own Wasm form,
 * in a thread that is stopped after a minute. Throws MayflyError (broken policy, no such rule) and PolicyEvaluationError.
 */
export async function evaluatePolicy(
  request: EvaluationRequest,
  options: CompileOptions = {},
): Promise<unknown> {
  const { files, data, rule, input } = request;
  const entrypoint = entrypointOf(rule);
  const compiled = await compilePolicy({ files, data, entrypoints: [entrypoint] }, options);
  return runTask('evaluate', { wasm: compiled.wasm, data: compiled.data, entrypoint, input });
}
