/** What both kinds of data-plane thread are made of. */
import { type MessagePort, parentPort } from 'node:worker_threads';
import type { RevisionSpec } from '../model/function.ts';
import type { FromThread, ThreadData } from '../model/protocol.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { GAUGE } from '../model/shared.ts';
import { Guests } from '../runtime/guests.ts';
import { Pools } from '../runtime/pools.ts';
import { RuntimeThread } from '../runtime/runtime-thread.ts';

/** The way to the main thread. */
export const main = parentPort as MessagePort;

export function post(message: FromThread): void {
  main.postMessage(message);
}

export function revisionsOf(snapshot: Snapshot): RevisionSpec[] {
  return snapshot.functions.flatMap(({ traffic }) => traffic.map(({ revision }) => revision));
}

/** The thread's instances, counted in its row of the gauges. */
export function createPools({ shared, snapshot, row }: ThreadData): Pools {
  const guests = new Guests(new RuntimeThread(shared.epoch));
  const gauges = new Int32Array(shared.gauges);
  const live = GAUGE.instancesOf(row);
  return new Pools(
    snapshot.maxInstances,
    (revision, initialBudgetMs) => guests.create(revision, initialBudgetMs),
    (change) => Atomics.add(gauges, live, change),
  );
}
