import type { LoggedLine, Outcome } from '../runtime/guest.ts';

/** One run, sent from a front thread to a lane. */
export interface LaneJob {
  readonly id: number;
  /** Revision id; the lane has the same snapshot. */
  readonly revision: string;
  /** Request frame (docs/reference/guest-abi.md). Transferred. */
  readonly frame: ArrayBuffer;
  /** CPU that the run may use, and time until somebody stops waiting for it. Milliseconds. */
  readonly budgetMs: number;
  readonly wallMs: number;
}

export interface LaneAnswer {
  readonly id: number;
  /** `unknown-revision`: the lane has not got (or no longer has) that revision. */
  readonly outcome: Outcome | 'unknown-revision' | 'no-instance';
  readonly status: number;
  /** Rendered header lines, then the body, in one buffer. Transferred. */
  readonly bytes: ArrayBuffer;
  readonly headersLength: number;
  /** CPU time of the lane's thread during the run. */
  readonly cpuMs: number;
  readonly logs: readonly LoggedLine[] | null;
}
