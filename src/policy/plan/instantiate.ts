import { PolicyEvaluationError, type Decide, type Evaluator } from '../types.ts';
import { MayflyError } from '../../model/errors.ts';
import { builtins } from './builtins/table.ts';
import { BigDecimal } from './numbers.ts';
import * as operations from './operations.ts';
import { equal, scanKeys, scanValues, sortedScanKeys } from './order.ts';
import { isObject, isRecord, lookup, RegoObject, RegoSet } from './values.ts';

type Program = ReadonlyMap<string, (input: unknown, data: unknown) => unknown>;

/** The names that generated code may use; it sees nothing else of this process by name but the language itself. */
const vocabulary = {
  ...operations,
  ...{ equal, unequal: (a: unknown, b: unknown) => !equal(a, b), scanKeys, scanValues, sortedScanKeys },
  ...{ isObject, isRecord, lookup, RegoObject, RegoSet, BigDecimal, hasOwn: Object.hasOwn },
};

/**
 * Makes a translated plan (translate.ts) ready to answer. `data` must not change afterwards; inputs may be changed and
 * used again between decisions, nothing of them is kept.
 */
export function instantiatePlan(source: string, data: unknown): Evaluator {
  const program = new Function('operations', 'builtins', source)(vocabulary, builtins) as Program;
  const documents = data ?? {};
  return {
    entrypoint(name: string): Decide {
      const run = program.get(name);
      if (run === undefined) {
        throw new MayflyError(`The policy was not compiled for ${name}`, {
          fix: `It answers ${[...program.keys()].join(', ')}.`,
          code: 'unknown-entrypoint',
        });
      }
      return (input) => {
        try {
          return run(input, documents);
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
          throw new PolicyEvaluationError('The policy failed: the input nests too deep.', { cause: error });
        }
      };
    },
  };
}
