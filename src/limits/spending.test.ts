import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRateLimitTable, RateLimiter } from './gcra.ts';
import { LimitKey } from './key.ts';
import { RateLimit } from './limit.ts';
import type { Spent } from './spending.ts';

const SEED = Buffer.from('8 bytes!');

function limitOf(rate: number, burst: number): RateLimit {
  return new RateLimit({
    name: 'default',
    requestsPerSecond: rate,
    burst,
    windowMs: 1000,
    key: [{ by: 'user' }],
  });
}

const keyAt = ({ seedLow, seedHigh }: RateLimiter): LimitKey => LimitKey.of(seedLow, seedHigh, 'someone');

function collected(limiter: RateLimiter): Spent[] {
  const spent: Spent[] = [];
  limiter.collect((used) => spent.push(used));
  return spent;
}

test('a table that is shared keeps what was used until somebody looks; one that is not keeps nothing', () => {
  const limit = limitOf(10, 5);
  const alone = new RateLimiter(createRateLimitTable(1000));
  alone.take(keyAt(alone), limit, 1000);
  assert.deepEqual(collected(alone), []);

  const limiter = new RateLimiter(createRateLimitTable(1000, SEED));
  const key = keyAt(limiter);
  for (let count = 0; count < 7; count++) limiter.take(key, limit, 1000);
  const { id, requestTicks } = limit;
  assert.deepEqual(collected(limiter), [
    { limit: id, low: key.low, high: key.high, ticks: 5 * requestTicks },
  ]);
  assert.deepEqual(collected(limiter), []);
});

test('a share of the burst is rounded up, and at least one request', () => {
  for (const [burst, gateways, expected] of [
    [10, 1, 10],
    [10, 4, 3],
    [2, 8, 1],
  ] as const) {
    const limiter = new RateLimiter(createRateLimitTable(1000, SEED));
    limiter.share(gateways);
    let passed = 0;
    while (limiter.take(keyAt(limiter), limitOf(1, burst), 1000) >= 0) passed++;
    assert.equal(passed, expected, `${burst} over ${gateways}`);
  }
});

test('gateways that settle every interval never let more pass than the bound, whenever they are asked', () => {
  const plan = fc.record({
    gateways: fc.integer({ min: 2, max: 6 }),
    rate: fc.integer({ min: 1, max: 200 }),
    burst: fc.integer({ min: 1, max: 100 }),
    intervalMs: fc.integer({ min: 10, max: 500 }),
    // Which gateway is asked, how often, after how many milliseconds.
    steps: fc.array(fc.tuple(fc.nat(5), fc.integer({ min: 1, max: 60 }), fc.nat(300)), { maxLength: 60 }),
  });
  fc.assert(
    fc.property(plan, ({ gateways, rate, burst, intervalMs, steps }) => {
      const limit = limitOf(rate, burst);
      const limiters = Array.from(
        { length: gateways },
        () => new RateLimiter(createRateLimitTable(64, SEED)),
      );
      for (const limiter of limiters) limiter.share(gateways);
      const settle = (now: number): void => {
        const told = limiters.map(collected);
        limiters.forEach((limiter, index) => {
          for (const { low, high, ticks } of told.filter((_, from) => from !== index).flat())
            limiter.charge(LimitKey.from(low, high), limit, ticks, now);
        });
      };
      const start = 100_000;
      let now = start;
      let next = start + intervalMs;
      let passed = 0;
      for (const [which, times, wait] of steps) {
        now += wait;
        for (; next <= now; next += intervalMs) settle(next);
        const limiter = limiters[which % gateways] as RateLimiter;
        for (let count = 0; count < times; count++)
          if (limiter.take(keyAt(limiter), limit, now) >= 0) passed++;
        const seconds = (now - start) / 1000;
        const shares = gateways * Math.ceil(burst / gateways);
        const most = shares + rate * seconds + ((gateways - 1) * rate * intervalMs) / 1000;
        assert.ok(passed <= most + 1e-6, `${passed} passed in ${seconds} s, at most ${most} may`);
      }
    }),
    { numRuns: 150 },
  );
});
