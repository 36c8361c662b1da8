/** The memory that all threads share, allocated once for the life of the process. */
import { createConcurrencyTable } from '../limits/concurrency.ts';
import { createRateLimitTable } from '../limits/gcra.ts';
import type { SharedState } from '../model/shared.ts';
import { createMetricSlab } from '../observability/metric-slab.ts';
import { createEpochMemory } from '../runtime/epoch-clock.ts';

/** Keys that the rate-limit table holds at once: about 40 bytes each. */
const RATE_LIMIT_KEYS = 1 << 20;
const GAUGES = 16;

/** `rows`: front and lane threads together. */
export function createSharedState(rows: number): SharedState {
  return {
    epoch: createEpochMemory(),
    rateLimits: createRateLimitTable(RATE_LIMIT_KEYS),
    concurrency: createConcurrencyTable(rows),
    metrics: createMetricSlab(rows),
    gauges: new SharedArrayBuffer(GAUGES * 4),
  };
}
