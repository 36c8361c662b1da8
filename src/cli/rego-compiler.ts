/** OPA's compiler for the operator: verdicts of Policies, and what pods of gateways need not compile themselves. */
import { entrypointOf } from '../config/settle.ts';
import type { RegoCompiler } from '../kubernetes/operator/policy-book.ts';
import { MayflyError } from '../model/errors.ts';
import { compileForOthers, compilePolicy } from '../policy/compile.ts';

export const regoCompiler: RegoCompiler = {
  async check({ rego, rule }) {
    const sources = { files: { rego }, entrypoints: [entrypointOf(rule)] };
    const made = await unlessRefused(compilePolicy(sources, { warm: true }));
    return made instanceof MayflyError ? made.message : null;
  },

  async compile({ files, rules }) {
    const made = await unlessRefused(compileForOthers({ files, entrypoints: rules.map(entrypointOf) }));
    return made instanceof MayflyError ? null : made;
  },
};

/** A policy that is no good is an answer; anything else is no fault of the policy. */
async function unlessRefused<T>(work: Promise<T>): Promise<T | MayflyError> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof MayflyError) return error;
    throw error;
  }
}
