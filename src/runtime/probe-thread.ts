/** The inside of a probe: makes one instance and says how that went. */
import { parentPort, workerData } from 'node:worker_threads';
import { createGuest } from './guests.ts';
import type { ProbeOrder, ProbeResult } from './probe.ts';
import { RuntimeThread } from './runtime-thread.ts';

const { epoch, revision } = workerData as ProbeOrder;
let result: ProbeResult = { error: null };
try {
  createGuest(new RuntimeThread(epoch), revision).dispose();
} catch (error) {
  result = { error: error instanceof Error ? error.message : String(error) };
}
parentPort?.postMessage(result);
