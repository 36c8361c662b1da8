/** A plan that is not translated, and why: a phrase that follows "it uses". The policy then runs as WebAssembly. */
export class PlanRefusal extends Error {
  override readonly name = 'PlanRefusal';
}

/** What the code of one function needs to know of its program. */
export interface ProgramContext {
  readonly strings: readonly string[];
  /** Some builtin writes numbers as the policy did: 1.0 is not 1 to it. */
  readonly showsNumbers: boolean;
  /** The JavaScript name of a rule, function or builtin. Throws PlanRefusal. */
  callee(name: string): string;
  /** The statement that ends a function with a value. */
  returned(value: string): string;
}
