import { z } from 'zod';
import { cpu, decimal, duration, integer, quantity, shaped } from '../scalars.ts';
import { rollout } from './rollout.ts';

/**
 * What one function may use. The same keys, all optional, may stand at each function: that is why the
 * defaults live apart from the kinds.
 */
export const functionLimits = {
  max_concurrent_requests: integer(1, 1_000_000).describe(
    'Requests of one function in flight at once, over all threads; more wait in the queue.',
  ),
  request_timeout: duration(1, 86_400_000).describe(
    'Wall-clock time of a request from its turn to its answer; beyond it the caller gets 504.',
  ),
  memory_limit: quantity(65_536, 4 * 2 ** 30).describe(
    'Linear memory of one instance; a function that needs more at start is refused, one that grows beyond it sees memory.grow fail.',
  ),
  cpu_limit: cpu().describe(
    'Share of a core that the function may use on average; with request_timeout it gives the CPU budget of a request.',
  ),
  max_request_body: quantity(0, 2 ** 30).describe('Largest request body; beyond it the caller gets 413.'),
  max_response_body: quantity(0, 2 ** 30).describe(
    'Largest body a function may answer with; beyond it the caller gets 502.',
  ),
};

export const cpuBudget = duration(1, 86_400_000).describe(
  'CPU time of one request; beyond it the function is stopped and the caller gets 504. Default: cpu_limit × request_timeout.',
);

export const functionDefaults = z.strictObject({
  max_concurrent_requests: functionLimits.max_concurrent_requests.prefault(1000),
  request_timeout: functionLimits.request_timeout.prefault('30s'),
  memory_limit: functionLimits.memory_limit.prefault('64Mi'),
  cpu_limit: functionLimits.cpu_limit.prefault('100m'),
  cpu_budget: cpuBudget.optional(),
  max_request_body: functionLimits.max_request_body.prefault('1Mi'),
  max_response_body: functionLimits.max_response_body.prefault('4Mi'),
  rollout: rollout
    .optional()
    .describe('How new code of every function gets its requests. Default: all at once.'),
});

export const queueLimits = {
  queue_size: integer(0, 1_000_000).describe(
    'Requests of one function that may wait for a free place; beyond it the caller gets 503 at once.',
  ),
  worker_timeout: duration(0, 86_400_000).describe(
    'How long a request may wait in the queue; then the caller gets 503.',
  ),
};

export const concurrency = z.strictObject({
  max_workers: integer(1, 1_000_000)
    .prefault(1000)
    .describe(
      'Live WebAssembly instances over all threads and functions; the least recently used make room.',
    ),
  queue_size: queueLimits.queue_size.prefault(10_000),
  worker_timeout: queueLimits.worker_timeout.prefault('30s'),
});

const keyPart = shaped(
  /^(user|function|ip|header:[A-Za-z0-9!#$%&'*+.^_`|~-]+|claim:[^\s:]+)$/,
  'one of function, user, ip, header:NAME, claim:NAME',
);

const rateLimitKeys = {
  requests_per_second: decimal(0.001, 10_000_000).describe(
    'Rate at which a used-up allowance comes back, in requests per second.',
  ),
  burst_size: integer(1, 10_000_000).describe(
    'Requests that may come at once after a pause; beyond it the caller gets 429 with Retry-After.',
  ),
  window_size: duration(1000, 86_400_000).describe(
    'Window that the RateLimit-Policy header announces, and how long an idle key is remembered at least.',
  ),
  key: z
    .array(keyPart)
    .min(1)
    .max(5)
    .meta({ kind: 'a list of function, user, ip, header:NAME, claim:NAME' })
    .describe('What is counted apart. `user` means the address of the client where nobody is signed in.'),
};

export const rateLimit = z.strictObject({
  requests_per_second: rateLimitKeys.requests_per_second.prefault(100),
  burst_size: rateLimitKeys.burst_size.prefault(200),
  window_size: rateLimitKeys.window_size.prefault('60s'),
  key: rateLimitKeys.key.default(['function', 'user']),
});

/** At a route: whatever is left out is taken from `rate_limit`. */
export const routeRateLimit = z.strictObject({
  requests_per_second: rateLimitKeys.requests_per_second.optional(),
  burst_size: rateLimitKeys.burst_size.optional(),
  window_size: rateLimitKeys.window_size.optional(),
  key: rateLimitKeys.key.optional(),
});
