import { parentPort, workerData } from 'node:worker_threads';
import { type EpochClockData, writeEpoch } from './epoch-clock.ts';

const { epoch, stop, periodMs } = workerData as EpochClockData;
const word = new Int32Array(epoch.buffer);

writeEpoch(word);
parentPort?.postMessage('running');
// Sleeping in Atomics.wait costs no event loop turn and wakes on time; `stop` ends the sleep early.
while (Atomics.wait(stop, 0, 0, periodMs) === 'timed-out') writeEpoch(word);
