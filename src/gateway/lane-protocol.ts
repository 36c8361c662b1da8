import type { LoggedLine, Outcome } from '../runtime/guest.ts';

/** One run, sent from a front thread to a lane. */
export interface LaneJob {
  readonly id: number;
  /** Revision id; the lane has the same snapshot. */
  readonly revision: string;
  /** Request frame (docs/reference/guest-abi.md). Transferred. */
  readonly frame: ArrayBuffer;
  /** CPU that the run may use, milliseconds. */
  readonly budgetMs: number;
  /** When nobody waits for the answer any more (limits/monotonic.ts). */
  readonly deadlineMs: number;
}

/** Why a lane did not run a request. `unknown-revision`: it has not got (or no longer has) that revision. */
export type NotRun = 'unknown-revision' | 'no-instance' | 'too-late';

export interface LaneAnswer {
  readonly id: number;
  readonly outcome: Outcome | NotRun;
  readonly status: number;
  /** Rendered header lines, then the body, in one buffer. Transferred. */
  readonly bytes: ArrayBuffer;
  readonly headersLength: number;
  /** CPU time of the lane's thread during the run. */
  readonly cpuMs: number;
  /** The instance had to be thrown away. */
  readonly discarded: boolean;
  readonly logs: readonly LoggedLine[] | null;
}
