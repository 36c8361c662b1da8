import type { RevisionSpec } from '../model/function.ts';
import type { Guest } from './guest.ts';

/** The instances of one revision on one thread. */
export class Pool {
  readonly revision: RevisionSpec;
  /** When an instance was last taken, milliseconds; what eviction goes by. */
  lastUsedMs = 0;
  /** Instances that exist, idle or running. */
  live = 0;
  /** True once the revision left the snapshot: instances that come back are disposed of. */
  retired = false;
  readonly #idle: Guest[] = [];
  readonly #onLiveChange: (change: number) => void;
  readonly #create: (revision: RevisionSpec) => Guest;

  constructor(
    revision: RevisionSpec,
    create: (revision: RevisionSpec) => Guest,
    onLiveChange: (change: number) => void,
  ) {
    this.revision = revision;
    this.#create = create;
    this.#onLiveChange = onLiveChange;
  }

  get idle(): number {
    return this.#idle.length;
  }

  /** An idle instance, or null: then the caller asks for a new one with `grow`. */
  take(nowMs: number): Guest | null {
    this.lastUsedMs = nowMs;
    return this.#idle.pop() ?? null;
  }

  /** Makes a new instance, running its initialisation (a cold start). Throws what initialisation throws. */
  grow(): Guest {
    const guest = this.#create(this.revision);
    this.live++;
    this.#onLiveChange(1);
    return guest;
  }

  /** Gives an instance back after it was restored. */
  give(guest: Guest): void {
    if (this.retired) this.discard(guest);
    else this.#idle.push(guest);
  }

  discard(guest: Guest): void {
    this.live--;
    this.#onLiveChange(-1);
    guest.dispose();
  }

  /** Disposes of one idle instance; false when there is none. */
  shrink(): boolean {
    const guest = this.#idle.pop();
    if (guest === undefined) return false;
    this.discard(guest);
    return true;
  }

  retire(): void {
    this.retired = true;
    while (this.shrink());
  }
}
