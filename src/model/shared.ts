/**
 * The memory that the main thread and the data-plane threads have in common: numbers only.
 * The main thread allocates it once; a replaced thread gets the same.
 */
export interface SharedState {
  /** One word at byte 0, milliseconds since start, bumped by the clock thread: what CPU budgets are measured with. Imported by every prepared module. */
  readonly epoch: WebAssembly.Memory;
  /** Rate-limit table (limits/gcra.ts gives it its layout). */
  readonly rateLimits: SharedArrayBuffer;
  /** Requests in flight and waiting per function slot (limits/concurrency.ts). */
  readonly concurrency: SharedArrayBuffer;
  /** Counters and histograms (observability/metric-slab.ts). */
  readonly metrics: SharedArrayBuffer;
  /** Int32 words, see GAUGE. */
  readonly gauges: SharedArrayBuffer;
}

/** Rows in the tables that have one row a function. */
export const MAX_FUNCTIONS = 2048;

/** Where things are in `SharedState.gauges`. What a thread holds is also counted in its own row, so that it can be given back when the thread dies. */
export const GAUGE = {
  /** Open connections of all threads: what `max_connections` is compared with. */
  connections: 0,
  connectionsOf: (row: number): number => 1 + row * 2,
  /** Live instances of one thread. */
  instancesOf: (row: number): number => 2 + row * 2,
  words: (rows: number): number => 1 + rows * 2,
} as const;
