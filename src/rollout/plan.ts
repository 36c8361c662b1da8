/** What a rollout goes by, and what is counted of a revision. */

/** What a revision has to hold. */
export interface Objective {
  /** Largest share of failed requests, 0..1. */
  readonly maxErrorRate: number;
  /** 99 of 100 requests take at most so long, milliseconds; null: time is not looked at. */
  readonly maxP99Ms: number | null;
}

export interface RolloutPlan extends Objective {
  /** Percent of the requests, ascending, each below 100; after the last comes 100. */
  readonly steps: readonly number[];
  /** How long a step lasts at least, milliseconds. */
  readonly intervalMs: number;
  /** How many requests the new revision must have answered in a step. */
  readonly minRequests: number;
}

/** Requests of one revision since its step began. */
export interface Counts {
  readonly requests: number;
  /** Failed by the revision's own doing: it trapped, ran out of time or memory, or answered with 5xx. */
  readonly errors: number;
  /** Took longer than `maxP99Ms`. */
  readonly slow: number;
}

export interface Figures {
  readonly candidate: Counts;
  readonly stable: Counts;
}

/** By definition of the 99th percentile: the share of requests that may be slower. */
export const SLOW_SHARE = 0.01;

export const NO_COUNTS: Counts = { requests: 0, errors: 0, slow: 0 };

export function added(a: Counts, b: Counts): Counts {
  return { requests: a.requests + b.requests, errors: a.errors + b.errors, slow: a.slow + b.slow };
}

/** What came since; counters that began again at 0 (a restarted process) count from there. */
export function since(now: Counts, before: Counts): Counts {
  if (now.requests < before.requests) return now;
  return {
    requests: now.requests - before.requests,
    errors: Math.max(0, now.errors - before.errors),
    slow: Math.max(0, now.slow - before.slow),
  };
}
