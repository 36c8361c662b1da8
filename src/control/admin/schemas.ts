/** The resources of the admin API. These schemas check requests, describe answers in OpenAPI, and give the types. */
import { z } from 'zod';

export const functionName = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'must be 1 to 63 of a-z, 0-9 and -, not beginning or ending with -',
  );

const count = z.int().min(0);
const moment = z.iso.datetime().describe('UTC.');
const digest = z.string().describe('`sha256:<hex>` of the module as it was deployed.');
const revisionNumber = z.int().min(1);
const percent = z.int().min(0).max(100);

export const share = z
  .object({ revision: revisionNumber, weight: z.int().min(1).max(100).describe('Percent of the requests.') })
  .meta({ id: 'Share' });

export const route = z
  .object({
    host: z.string().nullable().describe('null: every host.'),
    path: z.string(),
    methods: z.array(z.string()).nullable().describe('null: every method.'),
    auth: z.enum(['required', 'optional', 'public']),
  })
  .meta({ id: 'Route' });

export const limits = z
  .object({
    memory_bytes: count,
    cpu_budget_ms: z.number(),
    cpu_millicores: count,
    request_timeout_ms: count,
    max_request_body_bytes: count,
    max_response_body_bytes: count,
    max_concurrent_requests: count,
    queue_size: count,
    queue_timeout_ms: count,
  })
  .meta({ id: 'Limits' });

export const revision = z
  .object({
    number: revisionNumber.describe('Counts from 1; never used again.'),
    id: z.string().describe('`<function>-<number>`: its name in logs and metrics.'),
    digest,
    bytes: count.describe('Size of the module as it was deployed.'),
    kind: z.enum(['handler', 'wagi', 'upstream']),
    source: z.string().describe('Where the code came from.'),
    created_at: moment,
    created_by: z.string(),
    limits,
    env: z.array(z.string()).describe('Names of the variables; values are not shown.'),
  })
  .meta({ id: 'Revision' });

const tally = z.object({
  requests: count,
  errors: count.describe(
    'Failed by the revision itself: it trapped, ran out of time or memory, or answered with 5xx.',
  ),
  slow: count.describe('Took longer than max_p99_ms.'),
});

export const rollout = z
  .object({
    phase: z.enum(['running', 'paused', 'done', 'rolled-back', 'aborted']),
    candidate: revisionNumber.describe('The new revision.'),
    stable: revisionNumber.describe('The one that gets the rest.'),
    percent: percent.describe('Share of the requests that the new revision gets.'),
    step: z.int().min(1),
    steps: z.array(percent),
    since: moment.describe('When the step began.'),
    changed_at: moment,
    reason: z.string().nullable().describe('Why it is as it is, or what it waits for.'),
    seen: z
      .object({ candidate: tally, stable: tally })
      .nullable()
      .describe('Since the step began; null: nothing is watched.'),
  })
  .meta({ id: 'Rollout' });

export const rolloutAnswer = z.object({ rollout }).meta({ id: 'RolloutAnswer' });

export const rolloutOrder = z
  .strictObject({ order: z.enum(['pause', 'resume', 'promote', 'abort']) })
  .meta({ id: 'RolloutOrder' });

export const functionSummary = z
  .object({
    name: z.string(),
    owner: z.enum(['file', 'api']).describe('`file`: mayfly.yaml names it.'),
    routes: z.array(route),
    traffic: z.array(share),
    kind: z.enum(['handler', 'wagi', 'upstream']),
    digest: digest.describe('Of the newest revision that has traffic.'),
    bytes: count,
    rollout: rollout.nullable().describe('The last one; null: there never was one.'),
  })
  .meta({ id: 'FunctionSummary' });

const event = z
  .object({
    time: moment,
    actor: z.string(),
    action: z.enum(['deploy', 'promote', 'rollback', 'rollout', 'remove']),
    function: z.string(),
    detail: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Event' });

export const functionDetail = functionSummary
  .extend({
    revisions: z.array(revision).describe('Newest first.'),
    events: z.array(event).describe('Who did what, newest first; at most 20.'),
  })
  .meta({ id: 'Function' });

export const functionList = z.object({ functions: z.array(functionSummary) }).meta({ id: 'FunctionList' });
export const revisionList = z.object({ revisions: z.array(revision) }).meta({ id: 'RevisionList' });
export const eventList = z.object({ events: z.array(event) }).meta({ id: 'EventList' });
export const traffic = z.object({ traffic: z.array(share) }).meta({ id: 'Traffic' });

export const deployment = z
  .object({
    function: z.string(),
    revision,
    created: z.boolean().describe('false: this code with this configuration was there already.'),
    traffic: z.array(share),
  })
  .meta({ id: 'Deployment' });

export const promotion = z
  .strictObject({
    revision: revisionNumber,
    percent: percent.describe('What it gets; the busiest other revision gets the rest.'),
  })
  .meta({ id: 'Promotion' });

export const rollbackOrder = z
  .strictObject({
    revision: revisionNumber
      .optional()
      .describe('Default: the older one of a split, else the newest before the one that serves.'),
  })
  .meta({ id: 'Rollback' });

const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'is not a header name');
// eslint-disable-next-line no-control-regex -- RFC 9110 field values: no controls but tab
const headerValue = z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'is not a header value');

export const invocation = z
  .strictObject({
    method: z.enum(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS']).default('GET'),
    path: z
      .string()
      .regex(/^\/[!-~]*$/, 'must begin with / and have no spaces')
      .optional()
      .describe("Path with query. Default: that of the function's first route."),
    headers: z.record(headerName, headerValue).default({}),
    body: z.string().default(''),
    encoding: z.enum(['utf8', 'base64']).default('utf8').describe('How `body` is written.'),
  })
  .meta({ id: 'Invocation' });

export const invocationResult = z
  .object({
    status: z.int(),
    headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
    body: z.string(),
    encoding: z.enum(['utf8', 'base64']).describe('base64 when the body is not UTF-8.'),
    milliseconds: z.number().describe('From the first byte sent to the last one received.'),
  })
  .meta({ id: 'InvocationResult' });

export const logLine = z
  .object({
    time: moment,
    level: z.enum(['debug', 'info', 'warn', 'error']),
    message: z.string(),
    revision: z.string(),
    request_id: z.string(),
  })
  .meta({ id: 'LogLine' });

const thread = z.object({
  role: z.enum(['front', 'lane']),
  index: count,
  state: z.enum(['starting', 'ready', 'waiting']),
  restarts: count,
  applied: z.int().describe('Version of the snapshot it answers by.'),
});

export const reloadReport = z
  .object({
    at: moment,
    ok: z.boolean(),
    error: z.string().nullable().describe('Why the new file was refused; the old one stays in force.'),
    deployed: z.array(z.string()).describe('Functions that got a new revision.'),
    removed: z.array(z.string()),
    needs_restart: z.array(z.string()).describe('Keys that changed but act only after a restart.'),
  })
  .meta({ id: 'ReloadReport' });

export const status = z
  .object({
    version: z.string(),
    started_at: moment,
    gateway: z.string().describe('Base address.'),
    snapshot: count.describe('Version that new requests are answered by.'),
    functions: count,
    threads: z.array(thread),
    warnings: z.array(z.string()).describe('What could not be served as wished.'),
    last_reload: reloadReport.nullable(),
  })
  .meta({ id: 'Status' });

export const problem = z
  .object({
    type: z.string().describe('`urn:problem-type:mayfly-admin:<code>`.'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    where: z.string().optional(),
    fix: z.string().optional(),
  })
  .meta({ id: 'Problem' });

export const deployQuery = z.object({
  percent: z.coerce
    .number()
    .pipe(percent)
    .optional()
    .describe(
      'Share of the traffic that the new revision gets at once and keeps. Default: as its `rollout` has it, or all.',
    ),
});

export const logQuery = z.object({
  lines: z.coerce.number().pipe(z.int().min(0).max(1000)).default(100).describe('How many past lines.'),
  follow: z
    .enum(['true', 'false'])
    .default('false')
    .describe('Go on with new lines until the client leaves.'),
});

export const eventQuery = z.object({
  limit: z.coerce.number().pipe(z.int().min(1).max(1000)).default(100),
});
