/** The other gateways, by what is heard of them. Times in milliseconds of one monotonic clock. */
export class Members {
  readonly #heard = new Map<string, { at: number; number: number }>();
  readonly #silenceMs: number;

  /** Who says nothing for `silenceMs` has gone. */
  constructor(silenceMs: number) {
    this.#silenceMs = silenceMs;
  }

  /** Message `number` of a gateway came. Returns how many before it did not. */
  heard(id: string, number: number, now: number): number {
    const before = this.#heard.get(id);
    this.#heard.set(id, { at: now, number });
    return before === undefined ? 0 : Math.max(0, number - before.number - 1);
  }

  /** How many others there are. `deaf`: nothing can be heard now, so silence means nothing. */
  others(now: number, deaf: boolean): number {
    for (const [id, last] of this.#heard) {
      if (deaf) last.at = now;
      else if (now - last.at > this.#silenceMs) this.#heard.delete(id);
    }
    return this.#heard.size;
  }
}
