/** One thread of the scale question: makes its share of the instances when it is told to. */
import { parentPort, workerData } from 'node:worker_threads';
import type { RevisionSpec } from '../../src/model/function.ts';
import { Guests } from '../../src/runtime/guests.ts';
import { Pools } from '../../src/runtime/pools.ts';
import { RuntimeThread } from '../../src/runtime/runtime-thread.ts';

export interface ScaleData {
  readonly epoch: WebAssembly.Memory;
  readonly revision: RevisionSpec;
  readonly instances: number;
}

const { epoch, revision, instances } = workerData as ScaleData;
const guests = new Guests(new RuntimeThread(epoch));
const pools = new Pools(instances, (spec) => guests.create(spec));
const pool = pools.of(revision);

parentPort?.once('message', () => {
  const guests = Array.from({ length: instances }, () => pools.grow(pool));
  parentPort?.postMessage({ live: guests.filter((guest) => guest !== null).length });
  // The instances stay until the thread is ended.
  parentPort?.once('message', () => guests.length);
});
parentPort?.postMessage({ ready: true });
