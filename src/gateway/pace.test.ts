import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from './pace.ts';

interface Run {
  /** Milliseconds of CPU, and how long it took where that is longer. */
  readonly cpuMs: number;
  readonly elapsedMs?: number;
  readonly discarded?: boolean;
}

/** Runs inline until it is not let any more, at most `times` times; returns how often it ran. */
function runInline(pace: Pace, times: number, run: Run, nowMs = 0): number {
  const { cpuMs, elapsedMs = cpuMs, discarded = false } = run;
  for (let count = 0; count < times; count++) {
    if (!pace.inline(nowMs)) return count;
    pace.ranInline(pace.inDoubt ? cpuMs : elapsedMs, pace.inDoubt, discarded, nowMs);
  }
  return times;
}

/** Until it is back inline. */
function runInLane(pace: Pace, times: number, cpuMs: number, discarded = false): boolean {
  for (let count = 0; count < times; count++) if (pace.ranInLane({ cpuMs, discarded })) return true;
  return false;
}

test('a function that used up the inline budget is slow; one that was put aside meanwhile is not', () => {
  const pace = new Pace();
  pace.overran(0.3, 0);
  assert.equal(pace.inline(1), true);
  pace.overran(9, 0);
  assert.equal(pace.inline(1), false);
});

test('a function seen to be slow comes back after a row of quick runs', () => {
  const pace = new Pace();
  pace.overran(9, 0);
  assert.equal(runInLane(pace, 31, 0.2), false);
  assert.equal(runInLane(pace, 1, 30), false);
  assert.equal(runInLane(pace, 31, 0.2), false, 'the row was broken');
  assert.equal(runInLane(pace, 1, 0.2), true);
  assert.equal(pace.inline(1), true);
});

test('a slow function is tried inline after a while, and after twice that when it is slow again', () => {
  const pace = new Pace();
  pace.overran(9, 0);
  assert.equal(pace.inline(9_999), false);
  assert.equal(pace.inline(10_000), true);
  pace.overran(9, 10_000);
  assert.equal(pace.inline(29_999), false);
  assert.equal(runInline(pace, 1, { cpuMs: 5 }, 30_000), 1);
  assert.equal(pace.inline(69_999), false, 'a run within the budget may be slow as well');
  assert.equal(runInline(pace, 10, { cpuMs: 0.2 }, 70_000), 10);
  assert.equal(pace.slow, false);
});

test('many runs that stay below the budget are slow together; few are not', () => {
  assert.ok(runInline(new Pace(), 100, { cpuMs: 4 }) < 10);
  assert.equal(runInline(new Pace(), 1000, { cpuMs: 1.5 }), 1000);
  const pace = new Pace();
  for (let run = 0; run < 1000; run++) runInline(pace, 1, { cpuMs: run % 16 === 0 ? 9 : 0.05 });
  assert.equal(pace.slow, false);
});

test('a crowded machine makes no function slow, however long its runs take', () => {
  const pace = new Pace();
  assert.equal(runInline(pace, 1000, { cpuMs: 0.05, elapsedMs: 9 }), 1000);
  assert.equal(runInline(pace, 1000, { cpuMs: 1.2, elapsedMs: 5000 }), 1000);
});

test('a function that wears out its instances is slow, inline and in the lane', () => {
  const pace = new Pace();
  assert.ok(runInline(pace, 100, { cpuMs: 0.3, discarded: true }) < 10);
  assert.equal(runInLane(pace, 100, 0.3, true), false);
  assert.equal(runInLane(pace, 32, 0.3), true);
  assert.equal(runInline(pace, 100, { cpuMs: 0.3 }), 100);
});
