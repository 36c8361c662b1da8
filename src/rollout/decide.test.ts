import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decide, firstPosition, weightAt, type Decision, type Position } from './decide.ts';
import { FALSE_ALARMS, judge } from './judge.ts';
import { added, NO_COUNTS, since, type Counts, type RolloutPlan } from './plan.ts';

const plan: RolloutPlan = {
  steps: [5, 25, 50],
  intervalMs: 30_000,
  minRequests: 50,
  maxErrorRate: 0.01,
  maxP99Ms: 200,
};

const counts = (requests: number, errors = 0, slow = 0): Counts => ({ requests, errors, slow });
const STEP_OVER = 30_000;

function decided(candidate: Counts, stable: Counts, at = STEP_OVER, position = firstPosition(0)): Decision {
  return decide(plan, position, { candidate, stable }, at);
}

test('what a step comes to', () => {
  for (const [what, candidate, stable, at, expected] of [
    ['a good one before the time', counts(500), counts(9500), 29_999, 'wait'],
    ['a good one', counts(50), counts(950), STEP_OVER, 'step'],
    ['too few requests', counts(49), counts(950), STEP_OVER, 'wait'],
    ['one error of ten', counts(10, 1), counts(190), 1000, 'wait'],
    ['one error of ten, later', counts(10, 1), counts(190), STEP_OVER, 'wait'],
    ['one error of fifty is in doubt', counts(50, 1), counts(950), STEP_OVER, 'wait'],
    ['one error of a hundred is allowed', counts(100, 1), counts(950), STEP_OVER, 'step'],
    ['a third fails, at once', counts(15, 5), counts(285), 1000, 'roll-back'],
    ['all are slow, at once', counts(8, 0, 8), counts(152), 1000, 'roll-back'],
    ['a third of both fails', counts(60, 20), counts(1140, 380), 1000, 'wait'],
    ['a third of both fails to the end', counts(60, 20), counts(1140, 380), STEP_OVER, 'begin-again'],
    ['bad, and nothing to compare with', counts(60, 20), counts(0), STEP_OVER, 'wait'],
    ['worse than a bad one', counts(100, 60), counts(1900, 100), STEP_OVER, 'roll-back'],
    ['better than a bad one, but bad', counts(100, 5), counts(1900, 600), STEP_OVER, 'begin-again'],
  ] as const) {
    assert.equal(decided(candidate, stable, at).do, expected, what);
  }
});

test('the reason says what was seen and what is allowed', () => {
  const decision = decided(counts(40, 12), counts(760, 1));
  assert.ok(decision.do === 'roll-back');
  assert.equal(decision.reason, '12 of 40 requests failed (30 %, allowed 1 %); before: 1 of 760');
  const slow = decided(counts(40, 0, 20), counts(760));
  assert.ok(slow.do === 'roll-back');
  assert.match(slow.reason, /^20 of 40 requests took longer than 200 ms \(50 %, allowed 1 %\)/);
});

test('without max_p99 time is not looked at', () => {
  const verdict = judge(
    { maxErrorRate: 0.01, maxP99Ms: null },
    { candidate: counts(900, 0, 900), stable: counts(900) },
    1,
  );
  assert.equal(verdict.is, 'holds');
});

test('counters that began again count from there', () => {
  assert.deepEqual(since(counts(10, 2, 1), counts(4, 1, 1)), counts(6, 1, 0));
  assert.deepEqual(since(counts(3, 1, 0), counts(400, 100, 7)), counts(3, 1, 0));
});

test('whatever is counted, the weight goes up by the steps or to 0', () => {
  const share = fc.nat({ max: 400 }).chain((requests) =>
    fc.record({
      requests: fc.constant(requests),
      errors: fc.nat({ max: requests }),
      slow: fc.nat({ max: requests }),
    }),
  );
  const tick = fc.record({ candidate: share, stable: share, passMs: fc.nat({ max: 60_000 }) });
  fc.assert(
    fc.property(fc.array(tick, { maxLength: 60 }), (ticks) => {
      let position: Position = firstPosition(0);
      let now = 0;
      let [mine, old] = [NO_COUNTS, NO_COUNTS];
      for (const { candidate, stable, passMs } of ticks) {
        now += passMs;
        [mine, old] = [added(mine, candidate), added(old, stable)];
        const decision = decide(plan, position, { candidate: mine, stable: old }, now);
        if (decision.do === 'roll-back') return;
        if (decision.do === 'finish') {
          assert.equal(position.step, plan.steps.length - 1);
          return;
        }
        if (decision.do === 'wait') continue;
        assert.ok(now - position.since >= plan.intervalMs && mine.requests >= plan.minRequests);
        assert.equal(decision.position.window, position.window + 1);
        assert.equal(decision.position.step, position.step + (decision.do === 'step' ? 1 : 0));
        if (decision.do === 'step') assert.equal(decision.weight, weightAt(plan, decision.position));
        ({ position } = decision);
        [mine, old] = [NO_COUNTS, NO_COUNTS];
      }
    }),
    { numRuns: 300 },
  );
});

/** mulberry32: the same runs every time. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Rates {
  readonly candidate: number;
  readonly stable: number;
}

/** A whole rollout at 20 requests a second, looked at every second. `sent`: requests that the new revision got. */
function simulate(rates: Rates, seed: number): { end: Decision['do'] | 'undecided'; sent: number } {
  const random = randomFrom(seed);
  let position = firstPosition(0);
  let [mine, old] = [NO_COUNTS, NO_COUNTS];
  let sent = 0;
  for (let second = 1; second <= 600; second++) {
    for (let i = 0; i < 20; i++) {
      const isMine = random() < weightAt(plan, position) / 100;
      const failed = random() < (isMine ? rates.candidate : rates.stable);
      if (isMine) [mine, sent] = [added(mine, counts(1, Number(failed))), sent + 1];
      else old = added(old, counts(1, Number(failed)));
    }
    const decision = decide(plan, position, { candidate: mine, stable: old }, second * 1000);
    if (decision.do === 'roll-back' || decision.do === 'finish') return { end: decision.do, sent };
    if (decision.do === 'wait') continue;
    ({ position } = decision);
    [mine, old] = [NO_COUNTS, NO_COUNTS];
  }
  return { end: 'undecided', sent };
}

const RUNS = 1000;

function ends(rates: Rates): ReturnType<typeof simulate>[] {
  return Array.from({ length: RUNS }, (_, seed) => simulate(rates, seed * 7919 + 1));
}

function share(runs: readonly ReturnType<typeof simulate>[], end: string): number {
  return runs.filter((run) => run.end === end).length / runs.length;
}

test('a revision that holds its objective is rolled back in at most 10 of 1,000 rollouts, at its very limit too', () => {
  for (const candidate of [0.002, 0.005, 0.01]) {
    const runs = ends({ candidate, stable: 0 });
    assert.ok(share(runs, 'roll-back') <= FALSE_ALARMS, `${candidate}: ${share(runs, 'roll-back')}`);
    if (candidate <= 0.005) assert.ok(share(runs, 'finish') > 0.95, `${candidate}: ${share(runs, 'finish')}`);
  }
});

test('a failing backend that hurts both rolls nobody back, and promotes nobody', () => {
  const runs = ends({ candidate: 0.3, stable: 0.3 });
  assert.ok(share(runs, 'roll-back') <= FALSE_ALARMS);
  assert.equal(share(runs, 'finish'), 0);
});

test('a clearly bad one is always rolled back, after few requests', () => {
  for (const [candidate, most] of [
    [1, 20],
    [0.3, 100],
    [0.1, 300],
  ] as const) {
    const runs = ends({ candidate, stable: 0.002 });
    assert.equal(share(runs, 'roll-back'), 1, `${candidate}`);
    const sent = runs.map((run) => run.sent).toSorted((a, b) => a - b);
    assert.ok((sent[RUNS / 2] as number) <= most, `${candidate}: median ${sent[RUNS / 2]} requests`);
  }
});
