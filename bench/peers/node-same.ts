/**
 * node:http in a cluster of two, with the same pipeline as Mayfly behind it: our own authenticator, rate limiter, policy
 * evaluator, instance pool with fresh state per request, and metrics. What is left as a difference is the HTTP front and
 * how the stages are joined. Each process counts rate limits for itself, which is cheaper than Mayfly's shared table.
 */
import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Authenticator } from '../../src/gateway/auth/authenticator.ts';
import { AuthFailure } from '../../src/gateway/auth/failure.ts';
import type { Session } from '../../src/gateway/auth/session.ts';
import { createRateLimitTable, RateLimiter } from '../../src/limits/gcra.ts';
import { RateLimitHeaders } from '../../src/limits/headers.ts';
import { LimitKey } from '../../src/limits/key.ts';
import { RateLimit } from '../../src/limits/limit.ts';
import { monotonicNow } from '../../src/limits/monotonic.ts';
import { functionCounter } from '../../src/observability/definitions.ts';
import { createMetricSlab, MetricRow } from '../../src/observability/metric-slab.ts';
import { compilePolicy, toSpec } from '../../src/policy/compile.ts';
import { createEvaluator } from '../../src/policy/evaluator.ts';
import { EpochClock } from '../../src/runtime/epoch-clock.ts';
import { createEpochMemory } from '../../src/runtime/epoch-memory.ts';
import { Guests } from '../../src/runtime/guests.ts';
import { Pools } from '../../src/runtime/pools.ts';
import { RuntimeThread } from '../../src/runtime/runtime-thread.ts';
import { NodeHttpFrame } from './node-http-frame.ts';
import { revisionOf } from '../lib/revision.ts';

const { PORT, MODULE, POLICY_SOURCE, POLICY_CACHE, SECRET } = process.env as Record<string, string>;
const PROCESSES = 2;
const CPU_BUDGET_MS = 3000;
const ROUTE = '/api/function';

if (cluster.isPrimary) lead();
else await serve();

function lead(): void {
  for (let i = 0; i < PROCESSES; i++) cluster.fork();
  process.on('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL');
    process.exit(0);
  });
}

async function serve(): Promise<void> {
  const epoch = createEpochMemory();
  await EpochClock.start(epoch);
  const guests = new Guests(new RuntimeThread(epoch));
  const pools = new Pools(1000, (revision) => guests.create(revision));
  const pool = pools.of(revisionOf('orders', readFileSync(MODULE as string)));
  const secret = Buffer.from(SECRET as string);
  const authenticator = new Authenticator(
    { secret, jwks: null, issuer: null, audience: null, maxTokenAgeMs: null, clockToleranceMs: 0 },
    { onUnknownKey: () => undefined },
  );
  const limiter = new RateLimiter(createRateLimitTable(1 << 17));
  const limit = new RateLimit({
    name: 'default',
    requestsPerSecond: 1_000_000,
    burst: 1_000_000,
    windowMs: 60_000,
    key: [],
  });
  const limitHeaders = new RateLimitHeaders(limit);
  const limitText = Buffer.alloc(limitHeaders.maxBytes);
  const limitKeys = new WeakMap<Session, LimitKey>();
  const policy = await compilePolicy(
    {
      files: { 'policy.rego': readFileSync(POLICY_SOURCE as string, 'utf8') },
      entrypoints: ['serverless/allow'],
    },
    { cacheDir: POLICY_CACHE as string },
  );
  const decide = createEvaluator(await toSpec('default', policy)).entrypoint('serverless/allow');
  const metrics = new MetricRow(createMetricSlab(1), 0);
  const scratch = Buffer.alloc(16_384);
  const frame = new NodeHttpFrame();

  createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () =>
      answer(request, response, chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)),
    );
  }).listen(Number(PORT), '127.0.0.1');

  function answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const start = performance.now();
    const path = request.url ?? '';
    if (path !== ROUTE) return end(response, 404);
    const length = scratch.write(request.headers.authorization ?? '', 0, 'latin1');
    const session = authenticator.authenticate(scratch, 0, length, Date.now());
    if (session instanceof AuthFailure || session instanceof Promise) return end(response, 401);
    let key = limitKeys.get(session);
    if (key === undefined) {
      key = LimitKey.of(limiter.seedLow, limiter.seedHigh, session.subject ?? '');
      limitKeys.set(session, key);
    }
    const remaining = limiter.take(key, limit, monotonicNow());
    if (remaining < 0) return end(response, 429);
    const input = {
      method: request.method,
      path,
      user: session.claims,
      rate_limit: { limit: limit.spec.burst, remaining },
      function: { name: 'orders' },
    };
    if (decide(input) !== true) return end(response, 403);
    const guest = pool.take(start) ?? pools.grow(pool);
    if (guest === null) return end(response, 503);
    const outcome = guest.run(frame.show(request, session.json, body), CPU_BUDGET_MS);
    if (outcome === 'answered') {
      const { status, body: bytes, bodyStart, bodyEnd } = guest.response;
      // The guest's memory is put back before node:http has written: it needs a copy.
      const copy = Buffer.allocUnsafe(bodyEnd - bodyStart);
      bytes.copy(copy, 0, bodyStart, bodyEnd);
      const [policyValue, limitValue] = limitLines(limitHeaders, limitText, remaining, limiter.retryAfterMs);
      response.writeHead(status, [
        'content-type',
        'application/json',
        'ratelimit-policy',
        policyValue,
        'ratelimit',
        limitValue,
        'content-length',
        String(copy.length),
      ]);
      response.end(copy);
    } else end(response, 500);
    if (guest.restore()) {
      metrics.add(0, functionCounter.restores, 1);
      metrics.add(0, functionCounter.restoredPages, guest.restoredPages);
      pool.give(guest);
    } else pool.discard(guest);
    metrics.answered(0, response.statusCode, (performance.now() - start) * 1000, body.length, 0);
  }
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0 });
  response.end();
}

/** The values of the two rate-limit fields, which Mayfly sends as well. */
function limitLines(
  headers: RateLimitHeaders,
  text: Buffer,
  remaining: number,
  retryAfterMs: number,
): readonly [string, string] {
  const length = headers.writeAccepted(text, 0, remaining, retryAfterMs);
  const [policy, limit] = text.toString('latin1', 0, length).split('\r\n') as [string, string];
  return [policy.slice(policy.indexOf(' ') + 1), limit.slice(limit.indexOf(' ') + 1)];
}
