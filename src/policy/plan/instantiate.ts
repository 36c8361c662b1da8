import { PolicyEvaluationError, type Decide, type Evaluator } from '../types.ts';
import { MayflyError } from '../../model/errors.ts';
import { builtins } from './builtins/table.ts';
import { BigDecimal } from './numbers.ts';
import * as operations from './operations.ts';
import { equal, scanKeys, scanValues, sortedScanKeys } from './order.ts';
import { PlanFallback } from './fallback.ts';
import { inherited, isObject, lookup, lookupElsewhere, RegoObject, RegoSet } from './values.ts';

type Program = ReadonlyMap<string, (input: unknown, data: unknown) => unknown>;

/** The names that generated code may use; it sees nothing else of this process by name but the language itself. */
const vocabulary = {
  ...operations,
  equal,
  unequal: (a: unknown, b: unknown) => !equal(a, b),
  scanKeys,
  sortedScanKeys,
  scanValues,
  lookup,
  lookupElsewhere,
  inherited,
  isObject,
  RegoObject,
  RegoSet,
  BigDecimal,
};

/**
 * Makes a translated plan (translate.ts) ready to answer. `data` must not change afterwards; inputs may be changed and
 * used again between decisions, nothing of them is kept. Where a decision needs the WebAssembly form of the policy
 * (fallback.ts), `otherForm` gives it; without one, PlanFallback is thrown.
 */
export function instantiatePlan(source: string, data: unknown, otherForm?: () => Evaluator): PlanEvaluator {
  const program = new Function('operations', 'builtins', source)(vocabulary, builtins) as Program;
  return new PlanEvaluator(program, data ?? {}, otherForm);
}

class PlanEvaluator implements Evaluator {
  /** Decisions that the WebAssembly form gave. */
  fallbacks = 0;
  readonly #program: Program;
  readonly #data: unknown;
  readonly #otherForm: (() => Evaluator) | undefined;

  constructor(program: Program, data: unknown, otherForm: (() => Evaluator) | undefined) {
    this.#program = program;
    this.#data = data;
    this.#otherForm = otherForm;
  }

  entrypoint(name: string): Decide {
    const run = this.#program.get(name);
    if (run === undefined) {
      throw new MayflyError(`The policy was not compiled for ${name}`, {
        fix: `It answers ${[...this.#program.keys()].join(', ')}.`,
        code: 'unknown-entrypoint',
      });
    }
    const data = this.#data;
    return (input) => {
      try {
        return run(input, data);
      } catch (error) {
        return this.#recover(error, name, input);
      }
    };
  }

  #recover(error: unknown, name: string, input: unknown): unknown {
    if (error instanceof PlanFallback && this.#otherForm !== undefined) {
      this.fallbacks++;
      return this.#otherForm().entrypoint(name)(input);
    }
    if (!(error instanceof RangeError)) throw error;
    throw new PolicyEvaluationError('The policy failed: the input nests too deep.', { cause: error });
  }
}
