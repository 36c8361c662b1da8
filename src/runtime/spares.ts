import type { Pool } from './pool.ts';
import type { Pools } from './pools.ts';

/** Initialisation that takes longer is left to the first request: nobody else on this thread shall wait for it. */
const INITIAL_BUDGET_MS = 5;
/** The same for each of the requests that it is rehearsed with. */
const REHEARSAL_MS = 2;
/** What the spare instances of a thread may hold together; where an instance starts with little, that is thousands. */
const MAX_BYTES = 32 * 1024 * 1024;
/** An instance that holds next to nothing has its price too: tables, code, kernel structures. */
const LEAST_BYTES = 20 * 1024;

/**
 * Makes an instance of every revision that has none, one in each turn of the thread's event loop, so that a function's
 * first request finds one waiting that has already run once. Never at the cost of an instance that exists, and within `maxBytes`.
 */
export class Spares {
  readonly #pools: Pools;
  readonly #maxBytes: number;
  readonly #later: (work: () => void) => unknown;
  #waiting: Pool[] = [];
  #bytes = 0;

  constructor(pools: Pools, maxBytes = MAX_BYTES, later: (work: () => void) => unknown = setImmediate) {
    this.#pools = pools;
    this.#maxBytes = maxBytes;
    this.#later = later;
  }

  /** To be called when there may be revisions without an instance. */
  refill(): void {
    const isBusy = this.#waiting.length > 0;
    const all = [...this.#pools.all()];
    this.#waiting = all.filter(({ live, revision }) => live === 0 && revision.kind !== 'upstream');
    this.#bytes = all.reduce((sum, pool) => sum + priceOf(pool), 0);
    if (!isBusy && this.#waiting.length > 0) this.#later(this.#next);
  }

  readonly #next = (): void => {
    const { live, maxInstances } = this.#pools;
    if (live >= maxInstances || this.#bytes >= this.#maxBytes) this.#waiting = [];
    const pool = this.#waiting.pop();
    if (pool !== undefined && pool.live === 0 && !pool.retired) this.#add(pool);
    if (this.#waiting.length > 0) this.#later(this.#next);
  };

  #add(pool: Pool): void {
    try {
      pool.addSpare(INITIAL_BUDGET_MS, REHEARSAL_MS);
      this.#bytes += priceOf(pool);
    } catch {
      // A revision that cannot start says so to the request that needs it.
    }
  }
}

function priceOf(pool: Pool): number {
  return pool.hasSpare ? Math.max(LEAST_BYTES, pool.spareBytes) : 0;
}
