import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from './pace.ts';

test('an overrun whose run in the lane is quick was the fault of the machine: back at once', () => {
  const pace = new Pace();
  assert.equal(pace.inline(0), true);
  pace.overran(0);
  assert.equal(pace.inline(1), false);
  pace.laneRan(0.2);
  assert.equal(pace.inline(2), true);
});

test('a function seen to be slow comes back after a row of quick runs', () => {
  const pace = new Pace();
  pace.overran(0);
  pace.laneRan(30);
  for (let run = 0; run < 31; run++) pace.laneRan(0.2);
  assert.equal(pace.inline(1), false);
  pace.laneRan(30);
  for (let run = 0; run < 31; run++) pace.laneRan(0.2);
  assert.equal(pace.inline(1), false, 'the row was broken');
  pace.laneRan(0.2);
  assert.equal(pace.inline(1), true);
});

test('a slow function is tried inline after a while, and after twice that when it overruns again', () => {
  const pace = new Pace();
  pace.overran(0);
  pace.laneRan(30);
  assert.equal(pace.inline(9_999), false);
  assert.equal(pace.inline(10_000), true);
  pace.overran(10_000);
  assert.equal(pace.inline(29_999), false);
  assert.equal(pace.inline(30_000), true);
  pace.heldPace();
  assert.equal(pace.slow, false);
});
