import type { RevisionSpec } from '../model/function.ts';
import type { Guest } from './guest.ts';
import { type CreateGuest, Pool } from './pool.ts';

/**
 * All pools of one thread, and the ceiling over them: at most `maxInstances` exist at once.
 * At the ceiling the revision that has not been used for longest gives up an idle instance; it comes back with its next request.
 */
export class Pools {
  maxInstances: number;
  /** Instances that exist, idle or running. */
  live = 0;
  readonly #create: CreateGuest;
  readonly #onLiveChange: (change: number) => void;
  readonly #byRevision = new Map<string, Pool>();

  /** `create` makes an instance and runs its initialisation. */
  constructor(
    maxInstances: number,
    create: CreateGuest,
    onLiveChange: (change: number) => void = () => undefined,
  ) {
    this.maxInstances = maxInstances;
    this.#create = create;
    this.#onLiveChange = (change) => {
      this.live += change;
      onLiveChange(change);
    };
  }

  /** Of the revisions in the snapshot. */
  all(): IterableIterator<Pool> {
    return this.#byRevision.values();
  }

  /** The pool of a revision; the same one for the same revision id, so that a new snapshot keeps warm instances. */
  of(revision: RevisionSpec): Pool {
    let pool = this.#byRevision.get(revision.id);
    if (pool === undefined) {
      pool = new Pool(revision, this.#create, this.#onLiveChange);
      this.#byRevision.set(revision.id, pool);
    }
    return pool;
  }

  /** Retires the pools of revisions that are not in `ids`. Instances at work finish first. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const [id, pool] of this.#byRevision) {
      if (ids.has(id)) continue;
      this.#byRevision.delete(id);
      pool.retire();
    }
  }

  /** A new instance for `pool`, evicting an idle one of another revision at the ceiling. Null: every instance is at work. */
  grow(pool: Pool): Guest | null {
    if (this.live >= this.maxInstances && !this.#evict()) return null;
    return pool.grow();
  }

  /** Lowers the number of live instances to the ceiling as far as idle ones allow. */
  trim(): void {
    while (this.live > this.maxInstances && this.#evict());
  }

  #evict(): boolean {
    let oldest: Pool | null = null;
    for (const pool of this.#byRevision.values()) {
      if (pool.idle > 0 && (oldest === null || pool.lastUsedMs < oldest.lastUsedMs)) oldest = pool;
    }
    return oldest !== null && oldest.shrink();
  }
}
