import { isDeepStrictEqual } from 'node:util';
import type { CompilerAnswer } from './compiler/protocol.ts';
import { InputGenerator } from './input-generator.ts';
import { instantiatePlan } from './plan/instantiate.ts';
import { translatePlan } from './plan/translate.ts';
import { type Decide, EmptyReplaceError } from './types.ts';
import { WasmEvaluator } from './wasm-evaluator.ts';

/** The policy as JavaScript, or why it stays Wasm. */
export type Translation =
  | { readonly javascript: string; readonly refused: null }
  | { readonly javascript: null; readonly refused: string };

/** Inputs tried on every entrypoint, as many as fit in the time. */
const INPUTS = 1000;
const TIME_MS = 500;

/**
 * Translates a policy to JavaScript, and keeps the result only when it agrees with OPA's own Wasm form on generated
 * inputs: the value, or that there is none, or that the policy fails.
 */
export function translate(answer: CompilerAnswer, data: unknown): Translation {
  const translated = translatePlan(answer.plan);
  if ('refused' in translated) return refused(translated.refused);
  const wasm = new WasmEvaluator(new WebAssembly.Module(Uint8Array.fromBase64(answer.wasm as string)), data);
  const javascript = instantiatePlan(translated.javascript, data, () => wasm);
  const inputs = new InputGenerator(answer.plan, data);
  for (const name of wasm.entrypoints) {
    const difference = compare(javascript.entrypoint(name), wasm.entrypoint(name), inputs);
    if (difference !== null) return refused(`${name}: ${difference}`);
  }
  return { javascript: translated.javascript, refused: null };
}

function compare(javascript: Decide, wasm: Decide, inputs: InputGenerator): string | null {
  const until = performance.now() + TIME_MS;
  for (let i = 0; i < INPUTS && performance.now() < until; i++) {
    const input = inputs.next();
    const [expected, actual] = [outcomeWhereAny(wasm, input), outcomeWhereAny(javascript, input)];
    if (expected === null || actual === null) continue;
    if (!isDeepStrictEqual(actual, expected)) {
      const [ours, theirs] = [actual, expected].map((value) => JSON.stringify(value).slice(0, 200));
      return `for ${JSON.stringify(input).slice(0, 500)} JavaScript gives ${ours}, Wasm ${theirs}`;
    }
  }
  return null;
}

/** Null where this form has no opinion. */
function outcomeWhereAny(decide: Decide, input: unknown): DecisionOutcome | null {
  let isSilent = false;
  const found = outcome((value) => {
    try {
      return decide(value);
    } catch (error) {
      isSilent = error instanceof EmptyReplaceError;
      throw error;
    }
  }, input);
  return isSilent ? null : found;
}

export type DecisionOutcome = { readonly failed: true } | { readonly value?: unknown };

/** What a decision comes to, as plain JSON. */
export function outcome(decide: Decide, input: unknown): DecisionOutcome {
  try {
    const value = decide(input);
    return value === undefined ? {} : { value: JSON.parse(JSON.stringify(value)) };
  } catch {
    return { failed: true };
  }
}

function refused(reason: string): Translation {
  return { javascript: null, refused: reason };
}
