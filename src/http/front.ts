import { BodyBudget } from './body-budget.ts';
import type { ProblemCode } from '../model/problems.ts';
import type { HttpSpec } from '../model/snapshot.ts';
import type { Connection } from './connection.ts';
import type { RequestHandler } from './exchange.ts';
import { RequestHead } from './head.ts';
import type { Http2Connection } from './http2.ts';
import type { StreamCarrier } from './http2-stream.ts';
import { Output } from './output.ts';

/** Counters of one listener, since it was opened. */
export interface HttpStats {
  /** Connections accepted, refused because there were too many, and open now. */
  accepted: number;
  refused: number;
  open: number;
  /** Requests answered by the HTTP layer itself, before or instead of the handler (400, 408, 413, …). */
  rejected: number;
  /** By problem, those that the handler never heard of, since the last look: whoever reads it empties it. */
  readonly rejectedBy: Map<ProblemCode, number>;
  /** Connections closed because nothing arrived, or nothing was taken, in time. */
  timedOut: number;
  socketErrors: number;
  bytesRead: number;
  bytesWritten: number;
}

const READ_BYTES = 65_536;

/** What all connections of one listener have in common: buffers, clock, limits, handler. */
export class Front<Context = unknown> {
  readonly handler: RequestHandler<Context>;
  http: HttpSpec;
  readonly output = new Output();
  readonly bodies = new BodyBudget();
  /** What sockets read into; nothing in it outlives the read. */
  readonly readBuffer: Buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  /** The head of the request that is being read. */
  readonly head = new RequestHead();
  readonly connections = new Set<Connection<Context>>();
  /** HTTP/2 connections, and the open streams of all of them. */
  readonly sessions = new Set<Http2Connection<Context>>();
  readonly streams = new Set<StreamCarrier<Context>>();
  /** The connection whose answers are being gathered for one write. */
  batching: Connection<Context> | null = null;
  /** Connections that were answered late and may have more to read. */
  readonly #resumable: Connection<Context>[] = [];
  readonly #resumeAll = (): void => {
    for (const connection of this.#resumable.splice(0)) connection.resume();
  };
  /** Connections that have more to do than their share of a turn. */
  readonly #waitingForTurn: Connection<Context>[] = [];
  readonly #turnAll = (): void => {
    for (const connection of this.#waitingForTurn.splice(0)) connection.nextTurn();
  };
  draining = false;
  /** Milliseconds, monotonic, as of the last sweep: coarse, and free to read. */
  now = performance.now();
  dateLine: Buffer = renderDate();
  readonly stats: HttpStats = {
    accepted: 0,
    refused: 0,
    open: 0,
    rejected: 0,
    rejectedBy: new Map(),
    timedOut: 0,
    socketErrors: 0,
    bytesRead: 0,
    bytesWritten: 0,
  };

  constructor(handler: RequestHandler<Context>, http: HttpSpec) {
    this.handler = handler;
    this.http = http;
  }

  /** A request was answered by the HTTP layer itself; `accepted`: the handler knows of it and counts it. */
  countRejection(code: ProblemCode, accepted: boolean): void {
    this.stats.rejected++;
    if (accepted) return;
    this.stats.rejectedBy.set(code, (this.stats.rejectedBy.get(code) ?? 0) + 1);
  }

  /** Lets a connection go on with its next request as soon as the code that runs now is done. */
  resumeSoon(connection: Connection<Context>): void {
    if (this.#resumable.push(connection) === 1) queueMicrotask(this.#resumeAll);
  }

  /** Lets a connection go on once all others that are ready have been read. */
  resumeNextTurn(connection: Connection<Context>): void {
    if (this.#waitingForTurn.push(connection) === 1) setImmediate(this.#turnAll);
  }

  /** One timer looks after all connections: a timer each would cost more than the requests. */
  sweep(now: number): void {
    this.now = now;
    this.dateLine = renderDate();
    for (const connection of this.connections) connection.checkTime(now);
    for (const stream of this.streams) stream.checkTime(now);
  }
}

function renderDate(): Buffer {
  return Buffer.from(`date: ${new Date().toUTCString()}\r\n`);
}
