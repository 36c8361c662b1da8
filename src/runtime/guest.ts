import type { GuestLogLine } from '../model/protocol.ts';

/** How one run of a guest ended. */
export type Outcome =
  | 'answered'
  /** Its CPU budget was used up. */
  | 'cpu-exceeded'
  | 'trapped'
  | 'out-of-memory'
  | 'stack-overflow'
  /** It returned, but what it returned is not a response. */
  | 'invalid-response'
  | 'response-too-large';

/** What a guest answered. The buffers may be the guest's own memory: read them before `restore`. */
export interface GuestResponse {
  status: number;
  /** Header lines as HTTP/1.1 writes them (`name: value\r\n`…), checked and without the gateway's own. */
  headers: Buffer;
  body: Buffer;
  bodyStart: number;
  bodyEnd: number;
}

/**
 * A request in a form that can be written into a guest's memory: the frame of docs/reference/guest-abi.md.
 * The data path implements it over the connection's buffer, a lane over the frame it was sent.
 */
export interface RequestSource {
  frameLength(): number;
  /** Writes `frameLength()` bytes at `at`. */
  writeFrame(target: Buffer, at: number): void;
}

/**
 * One instance of a revision that can answer one request at a time. Two kinds implement it: handler-guest.ts, wagi-guest.ts.
 * After every `run` the caller reads `response` and then calls `restore`.
 */
export interface Guest {
  readonly response: GuestResponse;
  /** Lines the guest logged during the last run, or null. */
  readonly logs: readonly LoggedLine[] | null;
  /** Dirty pages of 1 KiB that the last `restore` put back. */
  readonly restoredPages: number;
  /** What its memories held after initialisation, about: what an instance that has not run yet costs. */
  readonly imageBytes: number;
  /** Runs the guest to its end or until `budgetMs` of CPU are used. Never throws. */
  run(request: RequestSource, budgetMs: number): Outcome;
  /** Back to the state after initialisation. False: what happened cannot be undone; dispose of the guest. */
  restore(): boolean;
  dispose(): void;
}

export interface LoggedLine {
  readonly level: GuestLogLine['level'];
  readonly message: string;
  readonly time: number;
}
