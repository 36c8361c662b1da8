import type { FunctionSpec, RevisionSpec } from '../model/function.ts';
import type { Pool } from '../runtime/pool.ts';
import type { Pools } from '../runtime/pools.ts';
import { Pace } from './pace.ts';

/** A revision on this thread: its instances and how fast it has shown to be. */
export interface ActiveRevision {
  readonly revision: RevisionSpec;
  readonly pool: Pool;
  readonly pace: Pace;
  /** Its place in the metrics. */
  readonly track: number;
}

/** A function on this thread: which revisions share its requests. */
export class Deployment {
  readonly spec: FunctionSpec;
  /** The largest request body any of its revisions accepts. */
  readonly maxRequestBodyBytes: number;
  readonly #first: ActiveRevision;
  readonly #second: ActiveRevision | null;
  readonly #secondShare: number;

  constructor(spec: FunctionSpec, pools: Pools, previous: Deployment | null) {
    const active = spec.traffic.map(({ revision, track }) => ({
      revision,
      pool: pools.of(revision),
      pace: previous?.paceOf(revision.id) ?? new Pace(),
      track,
    }));
    const [first, second] = active;
    if (first === undefined || active.length > 2)
      throw new RangeError(`${spec.name} has ${active.length} revisions`);
    this.spec = spec;
    this.#first = first;
    this.#second = second ?? null;
    this.#secondShare = (spec.traffic[1]?.weight ?? 0) / 100;
    this.maxRequestBodyBytes = Math.max(...active.map(({ revision }) => revision.limits.maxRequestBodyBytes));
  }

  /** Which revision answers the next request: by weight, each request drawn anew. */
  pick(): ActiveRevision {
    if (this.#second === null) return this.#first;
    return Math.random() < this.#secondShare ? this.#second : this.#first;
  }

  paceOf(revisionId: string): Pace | undefined {
    if (this.#first.revision.id === revisionId) return this.#first.pace;
    return this.#second?.revision.id === revisionId ? this.#second.pace : undefined;
  }
}
