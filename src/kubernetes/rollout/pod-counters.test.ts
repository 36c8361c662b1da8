import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Counts } from '../../rollout/plan.ts';
import { digestIn, observe, type PodSample, sampleFrom, type Window } from './pod-counters.ts';

const OLD = 'sha256:aa';
const NEW = 'sha256:bb';
const digests = { stable: OLD, candidate: NEW };
const counts = (requests: number, errors = 0, slow = 0): Counts => ({ requests, errors, slow });
const sample = (old: Counts, fresh: Counts): PodSample => ({
  configuration: 'c0ffee',
  counts: new Map([
    [OLD, old],
    [NEW, fresh],
  ]),
});

test('what a pod shows is read; what is another function, another family or no number is not', () => {
  const text = `# TYPE mayfly_revision_requests_total counter
mayfly_revision_requests_total{function="orders",revision="orders-4",digest="sha256:aa"} 900
mayfly_revision_errors_total{function="orders",revision="orders-4",digest="sha256:aa"} 3
mayfly_revision_slow_requests_total{function="orders",revision="orders-4",digest="sha256:aa"} 1
mayfly_revision_requests_total{function="orders",revision="orders-5",digest="sha256:bb"} 1e2
mayfly_revision_requests_total{function="stock",revision="stock-1",digest="sha256:bb"} 7
mayfly_revision_requests_total{function="orders",revision="orders-6"} 7
mayfly_revision_requests_total{function="orders",digest="sha256:cc"} much
mayfly_requests_total{function="orders",code="200"} 1000
mayfly_config_info{hash="c0ffee"} 1
`;
  assert.deepEqual(sampleFrom(text, 'orders'), sample(counts(900, 3, 1), counts(100)));
});

test('fuzz: any text is read without an error, and no count is negative or no number', () => {
  const noise = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'mayfly_revision_requests_total{',
      'function="f",digest="d"',
      '} 1',
      '\n',
      '} -1\n',
      '} e\n',
      '"',
    ),
  );
  fc.assert(
    fc.property(fc.array(noise, { maxLength: 30 }), (parts) => {
      for (const each of sampleFrom(parts.join(''), 'f').counts.values()) {
        for (const count of Object.values(each)) assert.ok(count >= 0);
      }
    }),
    { numRuns: 500 },
  );
});

test('pods come, begin anew and go: what they count in the window is summed, what was before is not', () => {
  let window = observe(undefined, '1', digests, new Map([['a', sample(counts(1000, 50), counts(0))]]));
  assert.deepEqual(window.figures, { candidate: counts(0), stable: counts(0) });
  const see = (pods: Record<string, PodSample>, key = '1') =>
    (window = observe(window, key, digests, new Map(Object.entries(pods))));
  see({ a: sample(counts(1100, 51), counts(5, 1)), b: sample(counts(7), counts(2)) });
  assert.deepEqual(window.figures, { candidate: counts(7, 1), stable: counts(107, 1) });
  see({ a: sample(counts(10), counts(1)) });
  assert.deepEqual(window.figures, { candidate: counts(8, 1), stable: counts(117, 1) }, 'a began anew');
  see({ b: sample(counts(9), counts(2)) });
  assert.deepEqual(window.figures, { candidate: counts(8, 1), stable: counts(119, 1) }, 'a is gone');
  see({ b: sample(counts(11), counts(4)) }, '2');
  assert.deepEqual(window.figures, { candidate: counts(0), stable: counts(0) }, 'another window');
});

test('whatever pods do, the sums are what was counted while somebody looked', () => {
  const step = fc.record({ pod: fc.constantFrom('a', 'b', 'c'), more: fc.nat(50), restarts: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const totals = new Map<string, number>();
      let window: Window | undefined = observe(undefined, 'w', digests, new Map());
      let expected = 0;
      for (const { pod, more, restarts } of steps) {
        const before = totals.get(pod) ?? 0;
        // Nobody can tell a pod that began anew and counted further than before from one that went on.
        const begins = restarts && more < before;
        totals.set(pod, begins ? more : before + more);
        expected += more;
        const seen = sample(counts(0), counts(totals.get(pod) as number));
        window = observe(window, 'w', digests, new Map([[pod, seen]]));
      }
      assert.equal(window.figures.candidate.requests, expected);
    }),
    { numRuns: 300 },
  );
});

test('where one revision answers and it is not the new one, the configuration is remembered', () => {
  const one = (digest: string, configuration?: string): PodSample => ({
    configuration,
    counts: new Map([[digest, counts(9)]]),
  });
  const neither = new Map([
    [OLD, counts(1)],
    ['sha256:cc', counts(1)],
  ]);
  const samples = new Map([
    ['a', sample(counts(1), counts(0))],
    ['b', one(OLD)],
    ['c', one(NEW, 'new alone')],
    ['d', { configuration: 'two others', counts: neither }],
    ['e', { configuration: 'nothing', counts: new Map() }],
  ]);
  assert.deepEqual(observe(undefined, '1', digests, samples).without, new Set());
  const window = observe(undefined, '1', digests, new Map([['f', one(OLD, 'both')]]));
  assert.deepEqual(window.without, new Set(['both']));
  assert.deepEqual(observe(window, '1', digests, samples).without, new Set(['both']));
  assert.deepEqual(observe(window, '2', digests, samples).without, new Set());
});

test('an image is known by its digest', () => {
  assert.equal(digestIn(`registry.example.com/shop/orders:1@${NEW}`), NEW);
});
