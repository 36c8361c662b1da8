import { z } from 'zod';
import { choice, duration, path, shaped, text } from '../scalars.ts';
import { cpuBudget, functionLimits, queueLimits, routeRateLimit } from './limits.ts';
import { canary, rollout } from './rollout.ts';
import { auth, routePolicy } from './security.ts';

const off = z.literal(false);

export const METHOD_NAMES = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'] as const;

/** RFC 3986 path characters but the dot; escapes must be in the one spelling that the gateway routes by. */
const LETTER = "([A-Za-z0-9_~!$&'()+,;=:@-]|%[0-9A-F]{2})";
/** Neither `.` nor `..`, said without looking ahead: the API server of Kubernetes reads it too (RE2). */
const SEGMENT = `(${LETTER}|\\.${LETTER}|\\.\\.(${LETTER}|\\.))(${LETTER}|\\.)*`;
export const routePath = shaped(
  new RegExp(`^/(${SEGMENT}(/${SEGMENT})*(/\\*?)?|\\*)?$`),
  'a route path: /exact/path, or /prefix/* for everything below /prefix/',
);

export const hostName = shaped(
  /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/,
  'a host name without port, such as shop.example.com',
);

export const methods = z
  .array(choice(METHOD_NAMES))
  .min(1)
  .meta({ kind: `a list of ${METHOD_NAMES.join(', ')}` });

const route = z.strictObject({
  path: routePath.describe('`/orders` matches exactly that path, `/orders/*` everything below `/orders/`.'),
  host: hostName.optional().describe('Only requests for this host. Default: every host.'),
  methods: methods
    .optional()
    .describe('Only these methods; HEAD is answered wherever GET is. Default: every method.'),
  auth: auth
    .optional()
    .describe(
      '`required`: a valid token or 401; `optional`: a token is verified when there is one; `public`: tokens are not looked at. Default: required, or public where no secret and no key set is configured.',
    ),
  rate_limit: z
    .union([routeRateLimit, off])
    .meta({ kind: 'a mapping with requests_per_second, burst_size, window_size, key; or false' })
    .optional()
    .describe('A limit of its own, counted apart; what is left out is as in rate_limit. `false`: no limit.'),
  policy: z
    .union([routePolicy, off])
    .meta({ kind: 'a mapping with rule, input; or false' })
    .optional()
    .describe('Another rule or more input. `false`: requests pass without a decision.'),
});

/** What may be set for a function wherever its code comes from: in the file and through the admin API. */
const settingsShape = {
  env: z
    .record(
      shaped(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a variable name: letters, digits and _'),
      z.string().meta({ kind: 'a string (put numbers in quotes)', secret: true }),
    )
    .default({})
    .describe(
      'Values that the function may read: the config capability, or environment variables of a wagi.',
    ),
  routes: z
    .array(route)
    .optional()
    .describe('Requests that the function answers. Default: `/NAME` and `/NAME/*`.'),
  max_concurrent_requests: functionLimits.max_concurrent_requests.optional(),
  request_timeout: functionLimits.request_timeout.optional(),
  memory_limit: functionLimits.memory_limit.optional(),
  cpu_limit: functionLimits.cpu_limit.optional(),
  cpu_budget: cpuBudget.optional(),
  max_request_body: functionLimits.max_request_body.optional(),
  max_response_body: functionLimits.max_response_body.optional(),
  queue_size: queueLimits.queue_size.optional(),
  worker_timeout: queueLimits.worker_timeout.optional(),
  rollout: z
    .union([rollout, off])
    .meta({ kind: 'a mapping with steps, interval, min_requests, max_error_rate, max_p99; or false' })
    .optional()
    .describe(
      'New code gets more and more of the requests, or none again (docs/guides/rollouts.md). `false`: all at once.',
    ),
};

export const functionSettings = z.strictObject(settingsShape);

const build = z.strictObject({
  command: text('a shell command').describe('Run in the folder of the source before each deploy.'),
  output: path('a .wasm file, relative to the source').describe('The module that the command writes.'),
});

const upstream = z.strictObject({
  url: shaped(
    /^https?:\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)(:[0-9]{1,5})?\/?$/,
    'an address without a path, such as http://orders.shop.svc:80',
  ).describe('Where requests are forwarded to. The path of a request stays as it is.'),
  hold_timeout: duration(0, 3_600_000)
    .prefault('30s')
    .describe(
      'How long a request waits when no connection can be made, as when pods are scaled to zero; then the caller gets 503. `0`: not at all.',
    ),
  pods: shaped(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\/[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'NAMESPACE/NAME of a Function in the cluster, such as shop/orders',
  )
    .optional()
    .describe('The Function whose pods answer there: `demand.report_to` is told how many requests it has.'),
});

export const functionEntry = z.strictObject({
  upstream: upstream
    .optional()
    .describe(
      'In place of a source: the function runs elsewhere, in pods of its own (docs/guides/scale-to-zero.md).',
    ),
  source: path('a .wasm file or a folder, relative to the configuration file, or oci://…@sha256:…')
    .describe(
      'The function: a `.wasm` file, a folder with AssemblyScript source or a build command, or an image in a registry by its digest, `oci://HOST/REPOSITORY@sha256:…`.',
    )
    .optional(),
  build: build.optional().describe('How a source in another language becomes a module.'),
  canary: canary
    .optional()
    .describe('A second revision beside this one; nothing changes its share but this file.'),
  ...settingsShape,
});

/** RFC 1123 label: a function's name becomes a host name on Kubernetes. */
export const functionName = shaped(
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  'a function name: 1 to 63 of a-z, 0-9 and -, not beginning or ending with -',
);

export const functions = z.record(functionName, functionEntry);
