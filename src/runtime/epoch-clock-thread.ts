import { parentPort, workerData } from 'node:worker_threads';
import type { EpochClockData } from './epoch-clock.ts';
import { monotonicMs } from './monotonic.ts';

const { epoch, stop, periodMs } = workerData as EpochClockData;
const word = new Int32Array(epoch.buffer);
const tick = () => Atomics.store(word, 0, Math.floor(monotonicMs()) | 0);

tick();
parentPort?.postMessage('running');
// Sleeping in Atomics.wait costs no event loop turn and wakes on time; `stop` ends the sleep early.
while (Atomics.wait(stop, 0, 0, periodMs) === 'timed-out') tick();
