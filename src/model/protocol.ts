import type { SharedState } from './shared.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * What the main thread and the data-plane threads say to each other. Two kinds of thread:
 * a *front* thread listens and answers; a *lane* thread only runs functions that are too slow
 * to run between other people's requests.
 */
export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ThreadData {
  readonly role: 'front' | 'lane';
  /** Index among the threads of its role; the row in per-thread tables is `row`. */
  readonly index: number;
  readonly row: number;
  readonly shared: SharedState;
  readonly snapshot: Snapshot;
  /** Addresses of a front: plain HTTP, and TLS (HTTP/1.1 and HTTP/2). */
  readonly listen: Address | null;
  readonly tls: Address | null;
}

export type ToThread =
  | { readonly type: 'snapshot'; readonly snapshot: Snapshot }
  /** Go on, but say that this server is about to end: `/ready` is 503, answers close their connections. */
  | { readonly type: 'leave' }
  /** Stop accepting, finish what is in flight (at most `graceMs`), say `drained`. */
  | { readonly type: 'drain'; readonly graceMs: number }
  | { readonly type: 'ping'; readonly id: number }
  /** A port to a lane thread; requests and answers travel on it directly. */
  | { readonly type: 'lane'; readonly index: number; readonly port: MessagePort };

/** One `log` call of a guest. */
export interface GuestLogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly function: string;
  readonly revision: string;
  readonly requestId: string;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
}

/** One request, with its time per stage in microseconds (mayfly dev prints it). */
export interface RequestTrace {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly function: string;
  readonly requestId: string;
  readonly stages: Readonly<Record<string, number>>;
}

/** One policy decision, masked already. */
export interface DecisionRecord {
  readonly policy: string;
  readonly entrypoint: string;
  readonly allowed: boolean;
  readonly input: unknown;
  readonly requestId: string;
  readonly time: number;
}

export type FromThread =
  /** Listening (or, for a lane, running) with the first snapshot. */
  | { readonly type: 'ready'; readonly port: number | null; readonly tlsPort: number | null }
  /** Snapshot `version` is in force for every request that arrives from now on. */
  | { readonly type: 'applied'; readonly version: number }
  | { readonly type: 'pong'; readonly id: number }
  | { readonly type: 'guest-log'; readonly lines: readonly GuestLogLine[] }
  | { readonly type: 'trace'; readonly requests: readonly RequestTrace[] }
  | { readonly type: 'decisions'; readonly records: readonly DecisionRecord[] }
  /** A token named a key id that the key set lacks: fetch the set again. */
  | { readonly type: 'unknown-key'; readonly kid: string }
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'drained'; readonly aborted: number };
