/** `Policy`: who may do what, in Rego, for the functions that name it. */
import { z } from 'zod';
import { input, ruleName } from '../../config/sections/security.ts';

/** All files of a gateway have to fit into its ConfigMaps. */
const LONGEST_REGO = 128 * 1024;

export const policySpec = z.strictObject({
  rego: z
    .string()
    .min(1)
    .max(LONGEST_REGO)
    .meta({ kind: 'Rego source' })
    .describe('The rules, old or new syntax. Policies of one gateway must have packages of their own.'),
  rule: ruleName
    .default('data.serverless.allow')
    .describe('The rule that must be true for a request to pass; anything else denies.'),
  input: input.default({}),
});

export type PolicySpec = z.output<typeof policySpec>;
