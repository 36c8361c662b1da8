import { RunningMedian } from './running-median.ts';

/** A function is let run between other people's requests for this long; what needs more goes to a lane. */
export const INLINE_BUDGET_MS = 10;
/** A function whose runs take less than this on average is quick. A hop to a lane would cost it a tenth of that. */
const QUICK_MS = 2;
/** What an instance that is thrown away costs beside its run: a new one, and the garbage collector's pauses later. */
const DISCARD_MS = 4;
/** How many runs the average goes back, about. */
const MEMORY_RUNS = 8;
/** So many quick runs in a row bring back a function that was seen to be slow. */
const QUICK_RUNS_TO_RETURN = 32;
/** After this much quiet a slow function is tried between requests again. */
const RETRY_AFTER_MS = 10_000;
const LONGEST_RETRY_MS = 600_000;

/** What a lane says about a run (lane-protocol.ts). */
export interface LaneRun {
  readonly cpuMs: number;
  readonly isFirst: boolean;
  readonly discarded: boolean;
}

/**
 * Decides where a revision runs: inline, on the thread that took the request (no hop: the fast way), or in a lane of
 * its own, where a long run delays nobody else.
 *
 * Slow is what used up the inline budget once, and what costs others much although each run stays below it: an average
 * above `QUICK_MS`, with everything that comes with a run (the instance, its restore, its replacement).
 *
 * What is measured inline is elapsed time, so a thread that the kernel put aside makes a function look slow through no
 * fault of its own. Being slow inline is therefore only a suspicion: it sends the revision to a lane, where CPU time is
 * measured. If a run there is quick (the first of an instance does not count), it returns at once; if one is slow, it takes a row of quick ones, or a
 * trial after a while, and each trial that fails doubles that while.
 */
export class Pace {
  slow = false;
  /** How long a run takes inline. */
  readonly typicalMs = new RunningMedian(0.02);
  #meanMs = 0;
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

  /** A run ended within its inline budget; it took `ms` with all that belongs to it. */
  ranInline(ms: number, discarded: boolean, nowMs: number): void {
    // Bounded, so that one pause of the thread does not make a function slow.
    const costMs = Math.min(ms, INLINE_BUDGET_MS) + (discarded ? DISCARD_MS : 0);
    this.typicalMs.add(ms);
    this.#meanMs += (costMs - this.#meanMs) / MEMORY_RUNS;
    if (this.slow) {
      if (costMs < QUICK_MS) this.#isQuick();
      else this.overran(nowMs);
    } else if (this.#meanMs > QUICK_MS) {
      this.overran(nowMs);
    }
  }

  /** A lane ran it and used `cpuMs` of CPU. True: with that it is back, and may run inline again. */
  ranInLane({ cpuMs, isFirst, discarded }: LaneRun): boolean {
    if (!this.slow) return false;
    if (isFirst && !discarded && cpuMs < INLINE_BUDGET_MS) return false;
    if (cpuMs + (discarded ? DISCARD_MS : 0) >= QUICK_MS) {
      this.#proven = true;
      this.#quickRuns = 0;
    } else if (++this.#quickRuns >= (this.#proven ? QUICK_RUNS_TO_RETURN : 1)) {
      this.#isQuick();
    }
    return !this.slow;
  }

  #isQuick(): void {
    this.slow = false;
    this.#meanMs = 0;
    this.#proven = false;
    this.#quickRuns = 0;
  }
}
