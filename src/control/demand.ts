/** How many requests the functions in pods of their own have, from the shared tables. */
import { readConcurrency } from '../limits/concurrency.ts';
import type { FunctionDemand } from '../model/demand.ts';
import type { SharedState } from '../model/shared.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { MetricReader } from '../observability/metric-slab.ts';

export function readDemand(snapshot: Snapshot, shared: SharedState, reader: MetricReader): FunctionDemand[] {
  return snapshot.functions.flatMap(({ slot, traffic }) => {
    const pods = new Set(traffic.flatMap(({ revision }) => revision.upstream?.pods ?? []));
    if (pods.size === 0) return [];
    const { inFlight, waiting } = readConcurrency(shared.concurrency, slot);
    const answered = [...reader.function(slot).codes.values()].reduce((sum, count) => sum + count, 0);
    // Two revisions with pods of their own share the requests: which one has them is not counted apart.
    return [...pods].map((name) => ({ function: name, open: inFlight + waiting, answered }));
  });
}
