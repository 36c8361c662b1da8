import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEpochMemory, EpochClock } from './epoch-clock.ts';
import { monotonicMs } from './monotonic.ts';

test('the clock counts while this thread is busy, and stops', async () => {
  const epoch = createEpochMemory();
  const word = new Int32Array(epoch.buffer);
  const clock = await EpochClock.start(epoch);
  const first = Atomics.load(word, 0);
  while (Atomics.load(word, 0) === first);
  const ahead = (Atomics.load(word, 0) - Math.floor(monotonicMs())) | 0;
  assert.ok(ahead <= 1, `it runs ${ahead} ms ahead`);
  await clock.stop();
  const stopped = Atomics.load(word, 0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(Atomics.load(word, 0), stopped);
});
