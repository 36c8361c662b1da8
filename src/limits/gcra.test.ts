import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { createRateLimitTable, RateLimiter } from './gcra.ts';
import { LimitKey } from './key.ts';
import { RateLimit } from './limit.ts';

function limitOf(requestsPerSecond: number, burst: number, windowMs = 60_000): RateLimit {
  return new RateLimit({ name: 'default', requestsPerSecond, burst, windowMs, key: [{ by: 'user' }] });
}

function keyOf(limiter: RateLimiter, text: string): LimitKey {
  return LimitKey.of(limiter.seedLow, limiter.seedHigh, text);
}

const anyLimit = fc.record({
  rate: fc.oneof(fc.constantFrom(0.01, 0.5, 1, 100, 1e6), fc.double({ min: 0.01, max: 1e6, noNaN: true })),
  burst: fc.oneof(fc.constantFrom(1, 2, 200), fc.integer({ min: 1, max: 5000 })),
});

test('a key that was quiet has its whole burst, then the next place comes after 1 / rate', () => {
  const limiter = new RateLimiter(createRateLimitTable(100));
  const limit = limitOf(100, 5);
  const key = keyOf(limiter, 'u1');
  const now = 1_000_000;
  for (const remaining of [4, 3, 2, 1, 0]) assert.equal(limiter.take(key, limit, now), remaining);
  assert.equal(limiter.take(key, limit, now), -1);
  assert.equal(limiter.retryAfterMs, 10);
  assert.equal(limiter.resetMs, 50);
  assert.equal(limiter.take(key, limit, now + 9.9), -1);
  assert.equal(limiter.take(key, limit, now + 10), 0);
  assert.equal(limiter.take(key, limit, now + 10), -1);
  assert.equal(limiter.take(key, limit, now + 1000), 4);
});

test('whatever the rate and the arrivals: never more than burst + rate × t in any window, and retryAfterMs is honest', () => {
  fc.assert(
    fc.property(
      anyLimit,
      fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { minLength: 1, maxLength: 200 }),
      fc.double({ min: 0, max: 4e9, noNaN: true }),
      ({ rate, burst }, gaps, start) => {
        const limiter = new RateLimiter(createRateLimitTable(10));
        const limit = limitOf(rate, burst);
        const key = keyOf(limiter, 'u');
        const admitted: number[] = [];
        let now = start;
        for (const gap of gaps) {
          // Gaps in units of one request's time, so that every rate is tried around its limit.
          now += (gap * 1000) / rate;
          if (limiter.take(key, limit, now) >= 0) admitted.push(now);
          else {
            assert.ok(limiter.retryAfterMs > 0);
            const later = now + limiter.retryAfterMs + 2 / limit.ticksPerMs;
            assert.ok(limiter.take(key, limit, later) >= 0, 'refused although it waited as told');
            now = later;
            admitted.push(now);
          }
        }
        assertConforms(admitted, rate, burst);
      },
    ),
    { numRuns: 300 },
  );
});

test('rounding costs the client at most two ticks: against an exact model nothing else is refused', () => {
  fc.assert(
    fc.property(
      anyLimit,
      fc.array(fc.double({ min: 0, max: 2, noNaN: true }), { minLength: 1, maxLength: 300 }),
      ({ rate, burst }, gaps) => {
        const limiter = new RateLimiter(createRateLimitTable(10));
        const limit = limitOf(rate, burst);
        const key = keyOf(limiter, 'u');
        const period = 1000 / rate;
        const slack = 2 / limit.ticksPerMs;
        let now = 5e6;
        let arrival = now;
        for (const gap of gaps) {
          now += gap * period;
          const wait = Math.max(arrival, now) + period - burst * period - now;
          const taken = limiter.take(key, limit, now) >= 0;
          if (wait < -slack) assert.ok(taken, `refused ${-wait} ms too early`);
          if (wait > slack) assert.ok(!taken, `admitted ${wait} ms too early`);
          if (taken) arrival = Math.max(arrival, now) + period;
          // The model follows the table within its rounding, or differences would add up in this test only.
          if (taken) arrival = Math.max(arrival, now + limiter.resetMs);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('a quiet key is never mistaken after the 32-bit tick counter has wrapped, sweeper or not', () => {
  const limit = limitOf(1e6, 1000);
  for (const quietMs of [
    1e5,
    2 ** 31 / limit.ticksPerMs - 1,
    2 ** 31 / limit.ticksPerMs + 1,
    2 ** 32 / limit.ticksPerMs,
    1e9,
  ]) {
    const limiter = new RateLimiter(createRateLimitTable(100));
    const key = keyOf(limiter, 'u');
    for (let i = 0; i < 1000; i++) assert.ok(limiter.take(key, limit, 1e6) >= 0);
    assert.equal(limiter.take(key, limit, 1e6 + quietMs), 999, `after ${quietMs} ms`);
  }
});

test('a smaller burst after a reload takes effect at once and a larger one does not hand out a fresh bucket', () => {
  const limiter = new RateLimiter(createRateLimitTable(100));
  const key = keyOf(limiter, 'u');
  const large = limitOf(1, 100);
  const small = limitOf(1, 10);
  assert.equal(large.requestShift, small.requestShift, 'the test needs limits that share entries');
  for (let i = 0; i < 100; i++) limiter.take(key, large, 1e6);
  assert.equal(limiter.take(key, small, 1e6), -1);
  assert.equal(limiter.retryAfterMs, 1000, 'not 91 seconds for debts of the old bucket');
  assert.equal(limiter.take(key, large, 1e6), -1);
});

test('another rate is another identity: old times are never read with a new tick', () => {
  assert.notEqual(limitOf(1, 10).identity, limitOf(2, 10).identity);
  assert.notEqual(limitOf(1e6, 10).identity, limitOf(1e6, 100_000_000).identity);
});

test('the sweeper forgets keys that are quiet, keeps those at work, and bounds the table', () => {
  const limiter = new RateLimiter(createRateLimitTable(2000));
  const limit = limitOf(100, 200, 60_000);
  const keys = Array.from({ length: 1000 }, (_, i) => keyOf(limiter, `u${i}`));
  for (const key of keys) limiter.take(key, limit, 1e6);
  assert.equal(limiter.stats().keys, 1000);
  assert.equal(limiter.sweep(1e6 + 59_000, limiter.groups), 0, 'the window is not over');
  for (const key of keys.slice(0, 10)) limiter.take(key, limit, 1e6 + 50_000);
  assert.equal(limiter.sweep(1e6 + 70_000, limiter.groups), 990);
  assert.equal(limiter.stats().keys, 10);
  assert.equal(
    limiter.take(keys[999] as LimitKey, limit, 1e6 + 71_000),
    199,
    'a cached entry that was swept is found out',
  );
  assert.equal(limiter.stats().keys, 11);
});

test('a key is not forgotten while its bucket is not full, however slowly it fills', () => {
  const limiter = new RateLimiter(createRateLimitTable(100));
  const limit = limitOf(0.01, 2);
  const key = keyOf(limiter, 'u');
  // Emptied at the last moment before a renewal would be due.
  limiter.take(key, limit, 1e6);
  const late = 1e6 + (limit.entrySeconds - limit.rememberSeconds - 1) * 1000;
  while (limiter.take(key, limit, late) >= 0);
  for (let now = late; now < 1e6 + 99_000; now += 1000) limiter.sweep(now, limiter.groups);
  assert.equal(limiter.take(key, limit, 1e6 + 99_000), -1);
  assert.equal(limiter.take(key, limit, 1e6 + 101_000), 0);
  assert.equal(limiter.take(key, limit, 1e6 + 101_000), -1);
});

test('window_size is how long a quiet key is kept, but never shorter than its bucket takes to fill', () => {
  assert.equal(limitOf(100, 200, 60_000).rememberSeconds, 60);
  assert.equal(limitOf(100, 200, 120_000).rememberSeconds, 120);
  assert.equal(limitOf(0.01, 10, 60_000).rememberSeconds, 1000);
});

test('a full table: new keys share one bucket per limit, nobody is unlimited, and room is used when it comes', () => {
  const limiter = new RateLimiter(createRateLimitTable(64));
  const limit = limitOf(1, 3);
  const capacity = limiter.stats().capacity;
  for (let i = 0; i < capacity * 4; i++) limiter.take(keyOf(limiter, `attacker${i}`), limit, 1e6);
  assert.ok(limiter.stats().overflowed > 0);
  let admitted = 0;
  for (let i = 0; i < 500; i++) if (limiter.take(keyOf(limiter, `late${i}`), limit, 1e6) >= 0) admitted++;
  assert.ok(admitted <= 3, `${admitted} latecomers got through`);
  limiter.sweep(1e6 + 100_000, limiter.groups);
  assert.equal(limiter.stats().keys, 0);
  assert.equal(limiter.take(keyOf(limiter, 'late1'), limit, 1e6 + 100_000), 2);
});

test('random keys, times and sweeps agree with a map of exact buckets', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 4000 }), fc.boolean()), {
        maxLength: 400,
      }),
      (steps) => {
        const limiter = new RateLimiter(createRateLimitTable(400));
        const limit = limitOf(1, 4);
        const model = new Map<number, number>();
        const cached = new Map<number, LimitKey>();
        let now = 1e6;
        for (const [user, gap, sweep] of steps) {
          now += gap;
          if (sweep) limiter.sweep(now, 7);
          let key = cached.get(user);
          if (key === undefined) cached.set(user, (key = keyOf(limiter, `u${user}`)));
          const arrival = Math.max(model.get(user) ?? now, now);
          const fits = arrival + 1000 - now <= 4000;
          assert.equal(limiter.take(key, limit, now) >= 0, fits);
          if (fits) model.set(user, arrival + 1000);
        }
      },
    ),
  );
});

const hammer = `
  const { workerData, parentPort } = require('node:worker_threads');
  (async () => {
    const { RateLimiter } = await import(workerData.limiter);
    const { RateLimit } = await import(workerData.limit);
    const { LimitKey } = await import(workerData.key);
    const { monotonicNow } = await import(workerData.clock);
    const limiter = new RateLimiter(workerData.table);
    const limit = new RateLimit(workerData.spec);
    const gate = new Int32Array(workerData.gate);
    Atomics.add(gate, 1, 1);
    Atomics.notify(gate, 1);
    Atomics.wait(gate, 0, 0);
    const admitted = [];
    const until = monotonicNow() + workerData.forMs;
    for (let round = 0; workerData.forMs > 0 ? monotonicNow() < until : round < workerData.rounds; round++) {
      const now = workerData.frozen ?? monotonicNow();
      // A new key object for each request: every one is looked up, and the first ones race to insert.
      const key = LimitKey.of(limiter.seedLow, limiter.seedHigh, 'k' + (round % workerData.keys));
      if (limiter.take(key, limit, now) >= 0) admitted.push(now);
      if (workerData.sweeps && round % 50 === 0) limiter.sweep(now, 50);
    }
    parentPort.postMessage(admitted);
  })();
`;

interface HammerOptions {
  readonly threads: number;
  readonly limit: RateLimit;
  readonly keys?: number;
  readonly rounds?: number;
  readonly forMs?: number;
  readonly frozen?: number;
  readonly sweeps?: boolean;
}

function url(file: string): string {
  return new URL(file, import.meta.url).href;
}

async function hammerWith(options: HammerOptions): Promise<number[][]> {
  const gate = new SharedArrayBuffer(8);
  const signal = new Int32Array(gate);
  const workerData = {
    limiter: url('./gcra.ts'),
    limit: url('./limit.ts'),
    key: url('./key.ts'),
    clock: url('./monotonic.ts'),
    table: createRateLimitTable(1000),
    gate,
    spec: options.limit.spec,
    keys: options.keys ?? 1,
    rounds: options.rounds ?? 0,
    forMs: options.forMs ?? 0,
    frozen: options.frozen,
    sweeps: options.sweeps ?? false,
  };
  const workers = Array.from(
    { length: options.threads },
    () => new Worker(hammer, { eval: true, workerData }),
  );
  const results = workers.map(
    (worker) =>
      new Promise<number[]>((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      }),
  );
  while (Atomics.load(signal, 1) < options.threads) await new Promise((resolve) => setTimeout(resolve, 1));
  Atomics.store(signal, 0, 1);
  Atomics.notify(signal, 0);
  const admitted = await Promise.all(results);
  await Promise.all(workers.map((worker) => worker.terminate()));
  return admitted;
}

for (const threads of [1, 2, 4, 8]) {
  test(`${threads} threads hammering one key at one moment: exactly the burst passes`, async () => {
    const limit = limitOf(0.01, 5000);
    const admitted = await hammerWith({ threads, limit, rounds: 10_000, frozen: 1e6 });
    assert.equal(admitted.flat().length, 5000);
  });

  test(`${threads} threads racing to insert 200 keys: exactly the burst passes for each`, async () => {
    const limit = limitOf(0.01, 7);
    const admitted = await hammerWith({ threads, limit, keys: 200, rounds: 4000, frozen: 1e6, sweeps: true });
    assert.equal(admitted.flat().length, 200 * 7);
  });
}

test('threads hammering one key as time passes: burst + rate × t in every window', async () => {
  for (const [rate, burst] of [
    [200, 50],
    [20_000, 3],
    [1e6, 1000],
  ] as const) {
    const admitted = await hammerWith({ threads: 4, limit: limitOf(rate, burst), forMs: 150, sweeps: true });
    assert.ok(admitted.flat().length >= burst);
    assertConforms(admitted.flat(), rate, burst);
  }
});

/** In any window the number admitted is at most burst + rate × its length: the GCRA of the sorted times never runs ahead. */
function assertConforms(times: number[], rate: number, burst: number): void {
  const period = 1000 / rate;
  let arrival = -Infinity;
  for (const time of times.toSorted((a, b) => a - b)) {
    arrival = Math.max(arrival, time) + period;
    assert.ok(
      arrival - time <= burst * period + 1e-6 * Math.max(1, time * 1e-6),
      'more than burst + rate × t',
    );
  }
}
