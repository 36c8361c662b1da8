/** What is wrong with a policy that the operator was given. */
import type { CheckRego } from '../kubernetes/operator/policy-book.ts';
import { MayflyError } from '../model/errors.ts';
import { compilePolicy } from '../policy/compile.ts';
import { entrypointOf } from '../config/settle.ts';

export const checkRego: CheckRego = async ({ rego, rule }) => {
  try {
    await compilePolicy({ files: { rego }, entrypoints: [entrypointOf(rule)] });
    return null;
  } catch (error) {
    // Anything else is no fault of the policy.
    if (!(error instanceof MayflyError)) throw error;
    return error.message;
  }
};
