import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EpochClock } from './epoch-clock.ts';
import { createEpochMemory, Deadlines, EpochWords } from './epoch-memory.ts';
import { monotonicMs } from './monotonic.ts';

const PATIENCE_MS = 5000;

/** Waits in a loop, as a busy guest does. Returns the time at which the epoch had come to `deadline`. */
function spinUntil(epoch: WebAssembly.Memory, deadline: number): number {
  const words = new Int32Array(epoch.buffer);
  const giveUp = monotonicMs() + PATIENCE_MS;
  while (((Atomics.load(words, 0) - deadline) | 0) < 0)
    assert.ok(monotonicMs() < giveUp, 'the clock slept through a deadline');
  return monotonicMs();
}

test('the clock reaches every deadline, near or far, while this thread is busy; never early', async () => {
  const epoch = createEpochMemory();
  const clock = await EpochClock.start(epoch);
  const deadlines = new Deadlines(epoch);
  const others = [new Deadlines(epoch), new Deadlines(epoch)];
  for (const budget of [1, 2, 7, 8, 9, 10, 30, 3, 60, 1, 10]) {
    const now = Math.floor(monotonicMs());
    for (const [index, other] of others.entries()) other.announce((now + 5 + 40 * index) | 0);
    deadlines.announce((now + budget) | 0);
    const reached = spinUntil(epoch, (now + budget) | 0);
    assert.ok(reached >= now + budget - 0.1, `${budget} ms: ${now + budget - reached} ms early`);
  }
  await clock.stop();
});

test('a clock that has slept long is awake for the next deadline, and a stopped one stands still', async () => {
  const epoch = createEpochMemory();
  const clock = await EpochClock.start(epoch);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const deadline = (Math.ceil(monotonicMs()) + 10) | 0;
  new Deadlines(epoch).announce(deadline);
  spinUntil(epoch, deadline);
  await clock.stop();
  const words = new Int32Array(epoch.buffer);
  const stopped = Atomics.load(words, 0);
  new Deadlines(epoch).announce((deadline + 1) | 0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(Atomics.load(words, 0), stopped);
});

test('it sleeps long without deadlines, until the next one with them, and not beyond its own promise', () => {
  const epoch = createEpochMemory();
  const words = new EpochWords(epoch);
  const [first, second] = [new Deadlines(epoch), new Deadlines(epoch)];
  assert.equal(words.write(5000.25), 1000);
  first.announce(5010);
  assert.equal(words.write(5000.25), 8);
  second.announce(5003);
  assert.equal(words.write(5000.25), 2.75);
  assert.equal(words.write(5003), 7, 'a deadline that has come does not count any more');
  assert.equal(words.write(5010), 1000);
});

test('who sets a deadline beyond what the clock promised wakes it; an inline budget does not', () => {
  const epoch = createEpochMemory();
  const words = new EpochWords(epoch);
  const thread = new Deadlines(epoch);
  const wanted = (): boolean => {
    const before = Atomics.load(new Int32Array(epoch.buffer), 2) === 1;
    Atomics.store(new Int32Array(epoch.buffer), 2, 0);
    return before;
  };
  words.write(5000);
  thread.announce(5010);
  assert.ok(wanted(), 'it would have slept for a second');
  words.write(5000);
  thread.announce(5011);
  assert.ok(!wanted());
  thread.announce(5005);
  assert.ok(wanted());
});

test('milliseconds wrap around, and more threads than the memory has words for are served by ticking', () => {
  const epoch = createEpochMemory();
  const words = new EpochWords(epoch);
  const thread = new Deadlines(epoch);
  thread.announce((2 ** 31 + 3) | 0);
  assert.equal(words.write(2 ** 31 - 2), 5);
  for (let count = 0; count < 17_000; count++) new Deadlines(epoch).announce(0);
  assert.equal(words.write(2 ** 31 - 2), 1);
});
