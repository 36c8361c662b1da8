import type { LocalPolicySpec } from '../model/snapshot.ts';
import { instantiatePlan } from './plan/instantiate.ts';
import { PolicyEvaluationError, type Decide, type Evaluator } from './types.ts';
import { WasmEvaluator } from './wasm-evaluator.ts';

export type { Decide, Evaluator } from './types.ts';

/**
 * The policy in the fastest form it has; `mode` says which. The JavaScript form was checked against the Wasm one
 * when the policy was compiled (translate.ts).
 */
export function createEvaluator(spec: LocalPolicySpec): Evaluator & { readonly mode: 'javascript' | 'wasm' } {
  if (spec.javascript === null) {
    if (spec.wasm === null) throw new TypeError(`Policy ${spec.id} is decided elsewhere (opa_url).`);
    const wasm = new WasmEvaluator(spec.wasm, spec.data);
    return { mode: 'wasm', entrypoint: (name) => wasm.entrypoint(name) };
  }
  let wasm: WasmEvaluator | undefined;
  const javascript = instantiatePlan(spec.javascript, spec.data, () => {
    if (spec.wasm === null) throw new PolicyEvaluationError('The policy has no WebAssembly form.');
    return (wasm ??= new WasmEvaluator(spec.wasm, spec.data));
  });
  return { mode: 'javascript', entrypoint: (name) => needingInput(javascript.entrypoint(name)) };
}

/** Absent input would make `not input.blocked` true. */
function needingInput(decide: Decide): Decide {
  return (input) => {
    if (input === undefined) throw new PolicyEvaluationError('A policy needs an input.');
    return decide(input);
  };
}
