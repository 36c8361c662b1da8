import { z } from 'zod';
import { demand } from './sections/demand.ts';
import { functions, functionSettings } from './sections/functions.ts';
import { fleet } from './sections/fleet.ts';
import { concurrency, functionDefaults, rateLimit } from './sections/limits.ts';
import { logging, monitoring } from './sections/observability.ts';
import { policy, security } from './sections/security.ts';
import { admin, server, state } from './sections/server.ts';

/**
 * mayfly.yaml. The one place that says which keys there are, what they mean and what they default to: types, errors,
 * the reference page (docs/reference/configuration.md) and the JSON Schema for editors come from here.
 */
export const schema = z.strictObject({
  server: server.prefault({}).describe('The gateway: where requests come in.'),
  function: functionDefaults
    .prefault({})
    .describe('What each function may use. Every key can be set for one function under `functions`.'),
  rate_limit: rateLimit.prefault({}).describe('How many requests a caller may send (GCRA).'),
  concurrency: concurrency.prefault({}).describe('Instances and queues.'),
  logging: logging.prefault({}).describe('Logs.'),
  monitoring: monitoring.prefault({}).describe('Metrics and health.'),
  security: security.prefault({}).describe('Who may call: tokens (JWT).'),
  policy: policy.prefault({}).describe('What callers may do: Rego policies.'),
  functions: functions.default({}).describe('The functions, by name: 1 to 63 of a-z, 0-9 and -.'),
  demand: demand.prefault({}).describe('Functions in pods of their own: who makes them.'),
  fleet: fleet
    .optional()
    .describe('Several gateways that share their rate limits. Default: this one is alone.'),
  admin: admin.prefault({}).describe('The admin API.'),
  state: state.prefault({}).describe('What outlives a restart.'),
});

/** The file with its defaults filled in: durations in milliseconds, sizes in bytes, CPU in thousandths of a core. */
export type Settings = z.output<typeof schema>;
export type FunctionSettings = z.output<typeof functionSettings>;
export type RouteSettings = NonNullable<FunctionSettings['routes']>[number];

export { functionSettings };
