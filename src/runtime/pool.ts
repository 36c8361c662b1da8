import type { RevisionSpec } from '../model/function.ts';
import type { Guest } from './guest.ts';
import { rehearse } from './rehearsal.ts';

/** Makes an instance; its initialisation may use `initialBudgetMs` of CPU. Throws what initialisation throws. */
export type CreateGuest = (revision: RevisionSpec, initialBudgetMs?: number) => Guest;

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
  readonly #create: CreateGuest;
  #spare: Guest | null = null;

  constructor(revision: RevisionSpec, create: CreateGuest, onLiveChange: (change: number) => void) {
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
    return this.#pop() ?? null;
  }

  /** Whether there is an instance that was made ahead of requests and has not seen one. */
  get hasSpare(): boolean {
    return this.#spare !== null;
  }

  /** What that one holds. */
  get spareBytes(): number {
    return this.#spare?.imageBytes ?? 0;
  }

  /**
   * Makes an instance that waits for the first request, and rehearses it; one that cannot be put back is not kept. Throws
   * what initialisation throws.
   */
  addSpare(initialBudgetMs: number, rehearsalMs: number): void {
    const guest = this.#create(this.revision, initialBudgetMs);
    if (!rehearse(guest, Math.min(rehearsalMs, this.revision.limits.cpuBudgetMs))) return guest.dispose();
    this.#count(1);
    this.#spare = guest;
    this.#idle.push(guest);
  }

  /** Makes a new instance, running its initialisation (a cold start). Throws what initialisation throws. */
  grow(): Guest {
    const guest = this.#create(this.revision);
    this.#count(1);
    return guest;
  }

  /** Gives an instance back after it was restored. */
  give(guest: Guest): void {
    if (this.retired) this.discard(guest);
    else this.#idle.push(guest);
  }

  discard(guest: Guest): void {
    this.#count(-1);
    guest.dispose();
  }

  /** Disposes of one idle instance; false when there is none. */
  shrink(): boolean {
    const guest = this.#pop();
    if (guest === undefined) return false;
    this.discard(guest);
    return true;
  }

  retire(): void {
    this.retired = true;
    while (this.shrink());
  }

  #pop(): Guest | undefined {
    const guest = this.#idle.pop();
    if (guest === this.#spare) this.#spare = null;
    return guest;
  }

  #count(change: 1 | -1): void {
    this.live += change;
    this.#onLiveChange(change);
  }
}
