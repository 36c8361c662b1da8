/**
 * What the small steps of a request cost on one thread, in nanoseconds: metrics, rate limit, concurrency, token cache,
 * token verification. `node bench/stages.ts` prints a Markdown table: the median of the rounds, and the fastest.
 * CPU time of the thread is counted and not time on the clock, so that neighbours on the machine disturb less.
 */
import { issueToken } from '../src/tokens/issue.ts';
import { Authenticator } from '../src/gateway/auth/authenticator.ts';
import { Concurrency, createConcurrencyTable } from '../src/limits/concurrency.ts';
import { createRateLimitTable, RateLimiter } from '../src/limits/gcra.ts';
import { RateLimitHeaders } from '../src/limits/headers.ts';
import { KeyHash, LimitKey } from '../src/limits/key.ts';
import { RateLimit } from '../src/limits/limit.ts';
import { monotonicNow } from '../src/limits/monotonic.ts';
import { createMetricSlab, MetricRow } from '../src/observability/metric-slab.ts';

const ROUNDS = 15;

function measure(name: string, iterations: number, step: (i: number) => unknown): void {
  let sink: unknown;
  for (let i = 0; i < iterations; i++) sink = step(i);
  const nanoseconds = Array.from({ length: ROUNDS }, () => {
    const start = process.threadCpuUsage();
    for (let i = 0; i < iterations; i++) sink = step(i);
    const { user, system } = process.threadCpuUsage(start);
    return ((user + system) / iterations) * 1e3;
  }).toSorted((a, b) => a - b);
  if (sink === measure) throw new Error('unreachable; keeps the results alive');
  console.log(`| ${name} | ${nanoseconds[ROUNDS >> 1]?.toFixed(1)} | ${nanoseconds[0]?.toFixed(1)} |`);
}

console.log('| step | median ns | best ns |\n|---|---|---|');

const row = new MetricRow(createMetricSlab(1), 0);
measure('metrics: one answered request, 64 functions', 1e6, (i) =>
  row.answered(i & 63, 200, (i * 7) % 5000, 133, 200),
);
measure('metrics: eight stages of a sampled request', 1e5, (i) => {
  for (let stage = 0; stage < 8; stage++) row.stage(stage, (i % 100) / 10);
});

const limiter = new RateLimiter(createRateLimitTable(1 << 17));
const limit = new RateLimit({
  name: 'default',
  requestsPerSecond: 1e5,
  burst: 1e5,
  windowMs: 60_000,
  key: [],
});
const keys = Array.from({ length: 10_000 }, (_, i) =>
  LimitKey.of(limiter.seedLow, limiter.seedHigh, `user-${i}`),
);
let now = monotonicNow();
measure('rate limit: 10,000 users, entry kept in the session', 1e6, (i) =>
  limiter.take(keys[i % 10_000], limit, (now += 1e-4)),
);
measure('rate limit: one user', 1e6, () => limiter.take(keys[0], limit, (now += 1e-4)));
const hash = new KeyHash(limiter.seedLow, limiter.seedHigh);
const scratch = new LimitKey();
measure('rate limit: hash of an address, look up, count', 1e6, (i) => {
  hash
    .reset()
    .text('default\n100000\n9\nshop')
    .text(`192.0.2.${i & 255}`)
    .finish(scratch);
  return limiter.take(scratch, limit, (now += 1e-4));
});
const headers = new RateLimitHeaders(limit);
const target = Buffer.alloc(headers.maxBytes);
measure('rate limit: response fields', 1e6, (i) => headers.writeAccepted(target, 0, i % 1000, 10));

const concurrency = new Concurrency(createConcurrencyTable(4), 0, monotonicNow);
measure('concurrency: enter and leave, uncontended', 1e6, (i) => {
  if (concurrency.tryEnter(i & 63, 1000)) concurrency.leave(i & 63);
});

const secret = Buffer.from('a secret of thirty-two bytes ok!');
const spec = { secret, jwks: null, issuer: null, audience: null, maxTokenAgeMs: null, clockToleranceMs: 0 };
const tokens = await Promise.all(
  Array.from({ length: 1000 }, async (_, i) =>
    Buffer.from(`Bearer ${await issueToken(secret, { sub: `user-${i}`, role: 'user' }, 3600)}`),
  ),
);
const authenticator = new Authenticator(spec, { onUnknownKey() {} });
const wall = Date.now();
for (const token of tokens) await authenticator.authenticate(token, 0, token.length, wall);
measure('token: verified before, 1,000 users', 1e6, (i) => {
  const token = tokens[i % 1000];
  return authenticator.lookup(token, 0, token.length, wall);
});
measure('token: new, HS256', 1000, (i) => {
  if (i === 0) authenticator.update({ ...spec, clockToleranceMs: Math.random() });
  const token = tokens[i];
  return authenticator.authenticate(token, 0, token.length, wall);
});
