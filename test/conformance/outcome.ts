import { isDeepStrictEqual } from 'node:util';
import { instantiatePlan } from '../../src/policy/plan/instantiate.ts';
import { PlanFallback } from '../../src/policy/plan/fallback.ts';
import { translatePlan } from '../../src/policy/plan/translate.ts';
import { PolicyEvaluationError, type Decide } from '../../src/policy/types.ts';
import { hostBuiltins } from '../../src/policy/builtins/host.ts';
import { hostBuiltinsOf, WasmEvaluator } from '../../src/policy/wasm-evaluator.ts';
import type { OpaCase } from './cases.ts';

export type Outcome =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'undefined' | 'error' | 'fallback' }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Where OPA's evaluator differs from its own compiler, so that the plan (in any form) cannot give what it gives.
 * Of OPA's own list (internal/wasm/sdk/test/e2e/exceptions.yaml).
 */
export const exceptions: { readonly [note: string]: string } = {
  'data/toplevel integer':
    'open-policy-agent/opa#3711: a number is looked up as the text of it in stored data',
  'data/nested integer': 'open-policy-agent/opa#3711',
};

export function outcomeOf(decide: Decide, input: unknown): Outcome {
  try {
    const value = decide(input);
    return value === undefined ? { kind: 'undefined' } : { kind: 'value', value };
  } catch (error) {
    if (error instanceof PlanFallback) return { kind: 'fallback' };
    if (error instanceof PolicyEvaluationError) return { kind: 'error' };
    throw error;
  }
}

export function nativeOutcome({ native }: OpaCase): Outcome {
  if (native.error !== undefined) return { kind: 'error' };
  return native.defined ? { kind: 'value', value: native.value ?? null } : { kind: 'undefined' };
}

export function javascriptOutcome({ plan, data, entrypoint, input }: OpaCase): Outcome {
  const translation = translatePlan(plan);
  if ('refused' in translation) return { kind: 'refused', reason: translation.refused };
  return outcomeOf(instantiatePlan(translation.javascript, data).entrypoint(entrypoint), input);
}

export function wasmOutcome({ wasm, data, entrypoint, input }: OpaCase): Outcome {
  const module = new WebAssembly.Module(Uint8Array.fromBase64(wasm as string));
  const missing = hostBuiltinsOf(module).find((name) => !hostBuiltins.has(name));
  if (missing !== undefined) return { kind: 'refused', reason: `the builtin ${missing}` };
  const evaluator = new WasmEvaluator(module, data);
  const decide: Decide = (value) =>
    value === undefined
      ? evaluator.evaluateWithoutInput(entrypoint)
      : evaluator.entrypoint(entrypoint)(value);
  return outcomeOf(decide, input);
}

export function agree(a: Outcome, b: Outcome): boolean {
  return isDeepStrictEqual(a, b);
}
