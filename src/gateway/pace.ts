/** A function is let run between other people's requests for this long; what needs more goes to a lane. */
export const INLINE_BUDGET_MS = 5;
/** A lane's run shorter than this speaks for going back. */
const QUICK_MS = 1;
const QUICK_RUNS_TO_RETURN = 32;
/** After this much quiet a slow function is tried between requests again. */
const RETRY_AFTER_MS = 10_000;

/**
 * Decides where a revision runs: inline, on the thread that took the request (no hop: the fast way), or in a lane of
 * its own, where a long run delays nobody else. One overrun is proof enough: it has just cost every other request on
 * this thread its whole inline budget. It comes back after a row of quick runs, or after a while, and each new overrun
 * doubles that while.
 */
export class Pace {
  slow = false;
  #quickRuns = 0;
  #retryAtMs = 0;
  #retryAfterMs = RETRY_AFTER_MS;

  /** True when the next request should run inline. */
  inline(nowMs: number): boolean {
    return !this.slow || nowMs >= this.#retryAtMs;
  }

  /** The revision used up its inline budget. */
  overran(nowMs: number): void {
    this.#retryAfterMs = this.slow ? Math.min(this.#retryAfterMs * 2, 600_000) : RETRY_AFTER_MS;
    this.slow = true;
    this.#quickRuns = 0;
    this.#retryAtMs = nowMs + this.#retryAfterMs;
  }

  /** An inline run ended in time while the revision counted as slow: the trial went well. */
  heldPace(): void {
    this.slow = false;
    this.#quickRuns = 0;
  }

  /** A lane ran it for `ms`. */
  laneRan(ms: number): void {
    this.#quickRuns = ms < QUICK_MS ? this.#quickRuns + 1 : 0;
    if (this.#quickRuns >= QUICK_RUNS_TO_RETURN) this.heldPace();
  }
}
