import type { PolicySpec } from '../model/snapshot.ts';
import type { Evaluator } from './types.ts';
import { WasmEvaluator } from './wasm-evaluator.ts';

export type { Decide, Evaluator } from './types.ts';

/** The policy in the fastest form it has; `mode` says which. */
export function createEvaluator(spec: PolicySpec): Evaluator & { readonly mode: 'javascript' | 'wasm' } {
  const evaluator = new WasmEvaluator(spec.wasm, spec.data);
  return { mode: 'wasm', entrypoint: (name) => evaluator.entrypoint(name) };
}
