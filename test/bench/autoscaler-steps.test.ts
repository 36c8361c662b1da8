import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readyAfterStep } from '../../bench/lib/autoscaler-steps.ts';

const at = (ready: readonly number[], ...seconds: number[]) => seconds.map((second) => ready[second]);

test('the autoscaler may add 100 pods or as many as there were, each 30 s', () => {
  const ready = readyAfterStep({ from: 10, to: 600, seenAfterSeconds: 15, podsPerSecond: 1e6 });
  assert.deepEqual(at(ready, 0, 14, 15, 44, 45, 74, 75, 105), [10, 10, 110, 110, 220, 220, 440, 600]);
  assert.equal(ready.length, 106);
});

test('fewer pods come in a second than are asked for', () => {
  const ready = readyAfterStep({ from: 10, to: 110, seenAfterSeconds: 0, podsPerSecond: 20 });
  assert.deepEqual(ready, [30, 50, 70, 90, 110]);
});
