import { RunningMedian } from './running-median.ts';

/** A function is let run between other people's requests for this long; what needs more goes to a lane. */
export const INLINE_BUDGET_MS = 10;
/** A function whose runs take less than this on average is quick. A hop to a lane would cost it a tenth of that. */
const QUICK_MS = 2;
/** A function above this average is looked at closely: its CPU time is read, which takes a microsecond. */
const DOUBTFUL_MS = 1;
/** What an instance that is thrown away costs beside its run: a new one, and the garbage collector's pauses later. */
const DISCARD_MS = 4;
/** How many runs the average goes back, about. */
const MEMORY_RUNS = 8;
/** So many quick runs in a row bring back a function that was seen to be slow. */
const QUICK_RUNS_TO_RETURN = 32;
/** After this much quiet a slow function is tried between requests again. */
const RETRY_AFTER_MS = 10_000;
const LONGEST_RETRY_MS = 600_000;

/**
 * Decides where a revision runs: inline, on the thread that took the request (no hop: the fast way), or in a lane of
 * its own, where a long run delays nobody else.
 *
 * Slow is what used up the inline budget, and what costs others much although each run stays below it: an average
 * above `QUICK_MS`, with everything that comes with a run (the instance, its restore, its replacement).
 *
 * Elapsed time costs next to nothing to measure, but says little where the kernel puts the thread aside. It only raises
 * doubts; a function in doubt is measured in CPU time, and only that makes it slow. It comes back after a row of quick
 * runs in the lane, or when it passes a trial after a while; each trial that fails doubles that while.
 */
export class Pace {
  slow = false;
  /** How long a run takes inline. */
  readonly typicalMs = new RunningMedian(0.02);
  #meanMs = 0;
  #quickRuns = 0;
  #retryAtMs = 0;
  #retryAfterMs = RETRY_AFTER_MS;

  /** True when the next request should run inline. */
  inline(nowMs: number): boolean {
    return !this.slow || nowMs >= this.#retryAtMs;
  }

  /** True when CPU time should be measured, not elapsed time. */
  get inDoubt(): boolean {
    return this.slow || this.#meanMs > DOUBTFUL_MS;
  }

  /** It was stopped at the end of its inline budget, in elapsed time. */
  overran(cpuMs: number, nowMs: number): void {
    if (cpuMs >= INLINE_BUDGET_MS / 2) this.#isSlow(nowMs);
  }

  /** A run ended within its inline budget; it took `ms` with all that belongs to it, of CPU if `measured`. */
  ranInline(ms: number, measured: boolean, discarded: boolean, nowMs: number): void {
    // Bounded, so that one pause of the thread is not much.
    const costMs = Math.min(ms, INLINE_BUDGET_MS) + (discarded ? DISCARD_MS : 0);
    this.typicalMs.add(ms);
    this.#meanMs += (costMs - this.#meanMs) / MEMORY_RUNS;
    if (!measured) return;
    if (this.slow) {
      if (costMs < QUICK_MS) this.#isQuick();
      else this.#isSlow(nowMs);
    } else if (this.#meanMs > QUICK_MS) {
      this.#isSlow(nowMs);
    }
  }

  /** A lane ran it and used `cpuMs` of CPU. True: with that it is back, and may run inline again. */
  ranInLane({ cpuMs, discarded }: LaneRun): boolean {
    if (!this.slow) return false;
    if (cpuMs + (discarded ? DISCARD_MS : 0) >= QUICK_MS) this.#quickRuns = 0;
    else if (++this.#quickRuns >= QUICK_RUNS_TO_RETURN) this.#isQuick();
    return !this.slow;
  }

  #isSlow(nowMs: number): void {
    this.#retryAfterMs = this.slow ? Math.min(this.#retryAfterMs * 2, LONGEST_RETRY_MS) : RETRY_AFTER_MS;
    this.slow = true;
    this.#quickRuns = 0;
    this.#retryAtMs = nowMs + this.#retryAfterMs;
  }

  #isQuick(): void {
    this.slow = false;
    this.#meanMs = 0;
  }
}

/** What a lane says about a run (lane-protocol.ts). */
export interface LaneRun {
  readonly cpuMs: number;
  readonly discarded: boolean;
}
