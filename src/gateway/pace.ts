/** A function is let run between other people's requests for this long; what needs more goes to a lane. */
export const INLINE_BUDGET_MS = 10;
/** A run that used less CPU than this is quick. */
const QUICK_MS = INLINE_BUDGET_MS / 2;
/** So many quick runs in a row bring back a function that was seen to be slow. */
const QUICK_RUNS_TO_RETURN = 32;
/** After this much quiet a slow function is tried between requests again. */
const RETRY_AFTER_MS = 10_000;
const LONGEST_RETRY_MS = 600_000;

/**
 * Decides where a revision runs: inline, on the thread that took the request (no hop: the fast way), or in a lane of
 * its own, where a long run delays nobody else.
 *
 * The inline budget is elapsed time, so a thread that the kernel put aside can overrun it through no fault of the
 * function. One overrun is therefore only a suspicion: it sends the revision to a lane, where CPU time is measured.
 * If the first run there is quick, it returns at once; if one is slow, it takes a row of quick ones, or a trial after a
 * while, and each new overrun doubles that while.
 */
export class Pace {
  slow = false;
  #proven = false;
  #quickRuns = 0;
  #retryAtMs = 0;
  #retryAfterMs = RETRY_AFTER_MS;

  /** True when the next request should run inline. */
  inline(nowMs: number): boolean {
    return !this.slow || nowMs >= this.#retryAtMs;
  }

  /** The revision used up its inline budget. */
  overran(nowMs: number): void {
    this.#retryAfterMs = this.#proven ? Math.min(this.#retryAfterMs * 2, LONGEST_RETRY_MS) : RETRY_AFTER_MS;
    this.slow = true;
    this.#quickRuns = 0;
    this.#retryAtMs = nowMs + this.#retryAfterMs;
  }

  /** An inline run ended in time while the revision counted as slow: the trial went well. */
  heldPace(): void {
    this.slow = false;
    this.#proven = false;
    this.#quickRuns = 0;
  }

  /** A lane ran it and used `cpuMs` of CPU. */
  laneRan(cpuMs: number): void {
    if (!this.slow) return;
    if (cpuMs >= QUICK_MS) {
      this.#proven = true;
      this.#quickRuns = 0;
    } else if (++this.#quickRuns >= (this.#proven ? QUICK_RUNS_TO_RETURN : 1)) {
      this.heldPace();
    }
  }
}
