import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from './pace.ts';

function ranInLane(pace: Pace, cpuMs: number, discarded: boolean, isFirst = false): boolean {
  return pace.ranInLane({ cpuMs, isFirst, discarded });
}

/** Runs inline until it is not let any more, at most `times` times; returns how often it ran. */
function runInline(pace: Pace, times: number, ms: number, discarded = false): number {
  for (let run = 0; run < times; run++) {
    if (!pace.inline(0)) return run;
    pace.ranInline(ms, discarded, 0);
  }
  return times;
}

test('an overrun whose run in the lane is quick was the fault of the machine: back at once', () => {
  const pace = new Pace();
  assert.equal(pace.inline(0), true);
  pace.overran(0);
  assert.equal(pace.inline(1), false);
  ranInLane(pace, 0.2, false);
  assert.equal(pace.inline(2), true);
});

test('a function seen to be slow comes back after a row of quick runs', () => {
  const pace = new Pace();
  pace.overran(0);
  ranInLane(pace, 30, false);
  for (let run = 0; run < 31; run++) ranInLane(pace, 0.2, false);
  assert.equal(pace.inline(1), false);
  ranInLane(pace, 30, false);
  for (let run = 0; run < 31; run++) ranInLane(pace, 0.2, false);
  assert.equal(pace.inline(1), false, 'the row was broken');
  ranInLane(pace, 0.2, false);
  assert.equal(pace.inline(1), true);
});

test('a slow function is tried inline after a while, and after twice that when it is slow again', () => {
  const pace = new Pace();
  pace.overran(0);
  ranInLane(pace, 30, false);
  assert.equal(pace.inline(9_999), false);
  assert.equal(pace.inline(10_000), true);
  pace.overran(10_000);
  assert.equal(pace.inline(29_999), false);
  assert.equal(pace.inline(30_000), true);
  pace.ranInline(5, false, 30_000);
  assert.equal(pace.inline(69_999), false, 'a run within the budget may be slow as well');
  pace.ranInline(0.2, false, 70_000);
  assert.equal(pace.slow, false);
});

test('many runs that stay below the budget are slow together; few are not', () => {
  assert.ok(runInline(new Pace(), 100, 4) < 10);
  assert.equal(runInline(new Pace(), 1000, 1.5), 1000);
  const pace = new Pace();
  for (let run = 0; run < 1000; run++) pace.ranInline(run % 16 === 0 ? 9 : 0.05, false, 0);
  assert.equal(pace.slow, false);
});

test('one pause of the thread makes no function slow, however long it was', () => {
  const pace = new Pace();
  assert.equal(runInline(pace, 100, 0.05), 100);
  pace.ranInline(5000, false, 0);
  assert.equal(pace.slow, false);
});

test('a function that wears out its instances is slow, inline and in the lane', () => {
  const pace = new Pace();
  assert.ok(runInline(pace, 100, 0.3, true) < 10);
  ranInLane(pace, 0.3, true);
  assert.equal(pace.slow, true);
  for (let run = 0; run < 32; run++) ranInLane(pace, 0.3, false);
  assert.equal(pace.slow, false);
  assert.equal(runInline(new Pace(), 100, 0.3), 100);
});

test("an instance's first run takes longer, and proves nothing unless it is slow indeed", () => {
  const pace = new Pace();
  pace.overran(0);
  assert.equal(ranInLane(pace, 4, false, true), false);
  assert.equal(ranInLane(pace, 0.2, false), true, 'back with the first run that counts');
  pace.overran(0);
  ranInLane(pace, 40, false, true);
  assert.equal(ranInLane(pace, 0.2, false), false);
});
