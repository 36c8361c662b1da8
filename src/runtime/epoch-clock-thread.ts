import { parentPort, workerData } from 'node:worker_threads';
import type { EpochClockData } from './epoch-clock.ts';
import { EpochWords } from './epoch-memory.ts';
import { monotonicMs } from './monotonic.ts';

const { epoch } = workerData as EpochClockData;
const words = new EpochWords(epoch);

parentPort?.postMessage('running');
// Sleeping in Atomics.wait costs no event loop turn and wakes on time.
while (!words.stopped) words.sleep(words.write(monotonicMs()));
