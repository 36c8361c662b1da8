/** Words of a table that is shared with other processes, beside each entry (`SPENT`, `LIMIT`) and each group (`dirty`). */
export const SPENDING_WORDS_PER_ENTRY = 2;
const SPENT = 0;
const LIMIT = 1;

/** What one key used since the last look. */
export interface Spent {
  /** `RateLimit.id`: whose ticks these are. */
  readonly limit: number;
  /** The key. */
  readonly low: number;
  readonly high: number;
  /** Of the limit's clock; a request is `requestTicks` of them. */
  readonly ticks: number;
}

/**
 * What each key used since somebody looked, for settling with other processes (src/fleet). Counting costs one atomic
 * addition a request; a look goes only to the groups where something was used.
 */
export class Spending {
  readonly #dirty: Int32Array;
  readonly #words: Int32Array;
  readonly #groupSize: number;

  /** `words` from `offset` (bytes) on belong to it: one for each group, then two for each entry. */
  constructor(shared: SharedArrayBuffer, offset: number, groups: number, groupSize: number) {
    this.#dirty = new Int32Array(shared, offset, groups);
    this.#words = new Int32Array(shared, offset + groups * 4, groups * groupSize * SPENDING_WORDS_PER_ENTRY);
    this.#groupSize = groupSize;
  }

  /** An entry of the table now counts a key of this limit. */
  begin(index: number, limit: number): void {
    const at = index * SPENDING_WORDS_PER_ENTRY;
    if (this.#words[at + LIMIT] !== limit) Atomics.store(this.#words, at + SPENT, 0);
    Atomics.store(this.#words, at + LIMIT, limit);
  }

  add(index: number, ticks: number): void {
    const before = Atomics.add(this.#words, index * SPENDING_WORDS_PER_ENTRY + SPENT, ticks);
    // After the addition: whoever clears the mark first and looks then finds what was added.
    if (before === 0) Atomics.store(this.#dirty, Math.floor(index / this.#groupSize), 1);
  }

  /** Takes what was used, entry by entry: `visit(index, limit, ticks)`. One thread calls this. */
  collect(visit: (index: number, limit: number, ticks: number) => void): void {
    for (let group = 0; group < this.#dirty.length; group++) {
      if (this.#dirty[group] === 0) continue;
      Atomics.store(this.#dirty, group, 0);
      const from = group * this.#groupSize;
      for (let index = from; index < from + this.#groupSize; index++) {
        const at = index * SPENDING_WORDS_PER_ENTRY;
        const ticks = Atomics.exchange(this.#words, at + SPENT, 0);
        if (ticks > 0) visit(index, this.#words[at + LIMIT], ticks);
      }
    }
  }
}
