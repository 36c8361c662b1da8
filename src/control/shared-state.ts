/** The memory that all threads share, allocated once for the life of the process. */
import { clearConcurrencyRow, createConcurrencyTable } from '../limits/concurrency.ts';
import { createRateLimitTable } from '../limits/gcra.ts';
import { GAUGE, type SharedState } from '../model/shared.ts';
import { createMetricSlab } from '../observability/metric-slab.ts';
import { createEpochMemory } from '../runtime/epoch-memory.ts';

/** Keys that the rate-limit table holds at once: about 40 bytes each. */
const RATE_LIMIT_KEYS = 1 << 20;

/**
 * `rows`: front and lane threads together. The main thread counts in one more row of the metrics. `fleetSeed`: what keys of the
 * rate limits have in common with other gateways; null: this one is alone.
 */
export function createSharedState(rows: number, fleetSeed: Uint8Array | null = null): SharedState {
  return {
    epoch: createEpochMemory(),
    rateLimits: createRateLimitTable(RATE_LIMIT_KEYS, fleetSeed ?? undefined),
    concurrency: createConcurrencyTable(rows),
    metrics: createMetricSlab(rows + 1),
    gauges: new SharedArrayBuffer(GAUGE.words(rows) * 4),
  };
}

/** Gives back what a thread that died was holding; before another one gets its row. */
export function clearRow(shared: SharedState, row: number): void {
  clearConcurrencyRow(shared.concurrency, row);
  const gauges = new Int32Array(shared.gauges);
  Atomics.sub(gauges, GAUGE.connections, Atomics.exchange(gauges, GAUGE.connectionsOf(row), 0));
  Atomics.store(gauges, GAUGE.instancesOf(row), 0);
}
