import type { ProblemCode } from '../model/problems.ts';

/** One decision of a policy: the value of the entrypoint's rule for this input, `undefined` where Rego says undefined. */
export type Decide = (input: unknown) => unknown;

/** A policy ready to answer, whatever form it runs in. */
export interface Evaluator {
  /** `shop/allow` for `data.shop.allow`. Throws MayflyError where the policy was not compiled for it. */
  entrypoint(name: string): Decide;
}

/**
 * The policy could not give a decision: conflicting rules, an input that nests too deep, memory used up.
 * Callers deny; `problem` is what they answer with.
 */
export class PolicyEvaluationError extends Error {
  override readonly name: string = 'PolicyEvaluationError';
  readonly problem: ProblemCode = 'policy-failed';
}

/**
 * A part of replacing the empty text that one of the two forms of a policy has no answer to. OPA's Wasm would never end where
 * `replace` does it (guard-replace.ts); JavaScript's texts cannot hold letters that it cuts to pieces.
 */
export class EmptyReplaceError extends PolicyEvaluationError {
  constructor(what: string) {
    super(`The policy failed: replacing the empty text ${what}.`);
  }
}

/** Nobody was there to decide. */
export class PolicyUnavailableError extends PolicyEvaluationError {
  override readonly name = 'PolicyUnavailableError';
  override readonly problem = 'unavailable';
}
