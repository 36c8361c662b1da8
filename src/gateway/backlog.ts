/** Runs that take longer than this are set aside; quicker ones cost about what a refusal costs, and run at once. */
const COSTLY_MS = 0.1;
/** So much work may wait: a burst. */
const BURST_MS = 12;
/** And so much when there was more than that for a while: then waiting only adds delay. */
const STANDING_MS = 5;
const PATIENCE_MS = 20;
/** Who waited longer than this when his turn comes is refused, after a burst and while the queue stands. */
const LATEST_MS = 100;
const LATEST_STANDING_MS = 15;
/** Costly runs take turns with reading and refusing: so long at a time, */
const SLICE_MS = 2;
/** or so many times what was spent on the rest since the last slice: two thirds of the time go to good answers, */
const SLICE_SHARE = 2;
/** but never so long that nobody hears anything. */
const LONGEST_SLICE_MS = 8;

interface Entry<Owner> {
  readonly owner: Owner;
  readonly runMs: number;
  readonly sinceMs: number;
}

/** Whether runs that take `runMs` are set aside and may be refused. */
export function isCostly(runMs: number): boolean {
  return runMs > COSTLY_MS;
}

/**
 * The costly runs that one thread has still to do, oldest first, and the decision whether one more may wait.
 *
 * Functions run inline. Were costly ones run as they are read, all that is read behind them would wait for them, cheap
 * requests and refusals too, and nobody could say how long. So they are set aside; the thread reads on to the end of its
 * turn, then does them for a slice of time, and looks at its sockets again. What waits is here, and its length in
 * milliseconds is known: the sum of how long its functions typically take.
 *
 * Who may wait is decided as in CoDel (RFC 8289) in its form for request queues (Maurer, "Fail at Scale", ACM Queue
 * 13(8), 2015): a burst may be 12 ms of work; when there was more than 5 ms of it for 20 ms the queue *stands*, and only
 * 5 ms are let in until it was empty once. That is decided when a request comes, from the time it would wait, so that who is refused knows at
 * once (in the manner of Breakwater, OSDI 2020). Whoever waited much longer than was expected is refused in the end:
 * the estimate was wrong, and the answer may be of no use any more.
 *
 * A function of which less waits than its share is let in as long as a burst would be: the flood of one does not keep
 * out another.
 *
 * All times are monotonic milliseconds, `owner` stands for the function.
 */
export class Backlog<Item, Owner extends object> {
  readonly #entries = new Map<Item, Entry<Owner>>();
  readonly #waitingOf = new Map<Owner, number>();
  #workMs = 0;
  /** Since when there is more than a standing queue may have. */
  #longSinceMs = Number.POSITIVE_INFINITY;
  #stands = false;
  #sliceEndedMs = 0;
  #sliceEndsMs = 0;
  /** The last slice, which the next one will be like. */
  #sliceMs = SLICE_MS;

  get size(): number {
    return this.#entries.size;
  }

  /** Whether one more run of `owner` may wait. */
  admits(owner: Owner, runMs: number): boolean {
    if (this.#entries.size === 0) return true;
    const withItMs = this.#workMs + runMs;
    if (!this.#stands || this.#hasLessThanItsShare(owner)) return withItMs <= BURST_MS;
    // Enough for a slice, or the thread would be idle although there is work.
    return withItMs <= Math.max(STANDING_MS, this.#sliceMs);
  }

  add(item: Item, owner: Owner, runMs: number, nowMs: number): void {
    if (this.#entries.size === 0) this.#sliceEndedMs = nowMs;
    this.#entries.set(item, { owner, runMs, sinceMs: nowMs });
    this.#waitingOf.set(owner, (this.#waitingOf.get(owner) ?? 0) + 1);
    this.#workMs += runMs;
    if (this.#workMs > STANDING_MS && nowMs < this.#longSinceMs) this.#longSinceMs = nowMs;
  }

  /** Takes out what is not wanted any more. */
  delete(item: Item): void {
    const entry = this.#entries.get(item);
    if (entry === undefined) return;
    this.#entries.delete(item);
    this.#workMs -= entry.runMs;
    if (this.#entries.size === 0) {
      this.#workMs = 0;
      this.#stands = false;
    }
    if (this.#workMs <= STANDING_MS) this.#longSinceMs = Number.POSITIVE_INFINITY;
    const left = (this.#waitingOf.get(entry.owner) ?? 1) - 1;
    if (left === 0) this.#waitingOf.delete(entry.owner);
    else this.#waitingOf.set(entry.owner, left);
  }

  /** All that was ready has been read: `next` gives what may run now. */
  beginSlice(nowMs: number): void {
    const restMs = nowMs - this.#sliceEndedMs;
    this.#sliceMs = Math.min(Math.max(SLICE_MS, SLICE_SHARE * restMs), LONGEST_SLICE_MS);
    this.#sliceEndsMs = nowMs + this.#sliceMs;
  }

  /** The oldest that waits, to be run, or refused because it waited too long; null at the end of the slice. */
  next(nowMs: number): { readonly item: Item; readonly isTooLate: boolean } | null {
    this.#sliceEndedMs = nowMs;
    if (nowMs - this.#longSinceMs > PATIENCE_MS) this.#stands = true;
    if (nowMs >= this.#sliceEndsMs) return null;
    const first = this.#entries.entries().next();
    if (first.done === true) return null;
    const [item, { sinceMs }] = first.value;
    const allowedMs = this.#stands ? Math.max(LATEST_STANDING_MS, 2 * this.#sliceMs) : LATEST_MS;
    this.delete(item);
    // Few that wait for long did not wait for each other: the thread was put aside, and their answers are still wanted.
    const isCrowded = this.#stands || this.#workMs > STANDING_MS;
    return { item, isTooLate: isCrowded && nowMs - sinceMs > allowedMs };
  }

  #hasLessThanItsShare(owner: Owner): boolean {
    return (this.#waitingOf.get(owner) ?? 0) * this.#waitingOf.size < this.#entries.size;
  }
}
