import type { Pool } from 'undici';
import { Attempt } from './attempt.ts';
import { Reachability } from './reachability.ts';
import {
  isIdempotent,
  sizeOf,
  type UpstreamAnswer,
  type UpstreamFailure,
  type UpstreamRequest,
} from './request.ts';

/** Connections of one thread; requests beyond them wait, bounded by the function's places. */
const CONNECTIONS = 256;
/** Shorter than any server's own, so that no request meets a connection that is just being closed. */
const KEEP_ALIVE_MS = 3000;
/** Behind a Service a connection stays with its pod: new pods get requests, and pods that end lose theirs, by new ones. */
const CONNECTION_LIFE_MS = 2000;
const CONNECT_MS = 5000;
const MAX_HEAD_BYTES = 32 * 1024;
/** What one thread holds for one upstream, bodies and heads. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;
/** How long after the last request it is looked whether an upstream is back. */
const INTEREST_MS = 5000;

export interface UpstreamSink {
  answered(answer: UpstreamAnswer): void;
  failed(failure: UpstreamFailure): void;
  /** It waits for the upstream to be reachable. */
  held(): void;
  /** It goes on. */
  released(): void;
}

/** One request that is on its way. */
export interface Ticket {
  /** Nobody waits for it any more. */
  withdraw(): void;
}

interface Passenger {
  readonly request: UpstreamRequest;
  readonly sink: UpstreamSink;
  readonly holdMs: number;
  /** Until when it may be held; set once, when it is held first. */
  heldUntilMs: number;
  retried: boolean;
  attempt: Attempt | null;
  withdrawn: boolean;
}

/**
 * The way of one thread to one upstream: pooled connections, and a place where requests wait while none can be made.
 * A request is sent again only when it cannot have been seen, or once when it is idempotent (RFC 9110 §9.2.2).
 */
export class Upstream {
  readonly #pool: Promise<Pool>;
  #ready: Pool | null = null;
  readonly #reachability: Reachability;
  readonly #held = new Set<Passenger>();
  #heldBytes = 0;
  #lastRequestMs = 0;

  /** `load`: undici, which costs a thread that forwards nothing too much to load. */
  constructor(url: string, load: () => Promise<typeof import('undici')> = () => import('undici')) {
    this.#pool = load().then(({ Pool: PoolOf }) => {
      this.#ready = new PoolOf(url, {
        connections: CONNECTIONS,
        pipelining: 1,
        keepAliveTimeout: KEEP_ALIVE_MS,
        keepAliveMaxTimeout: KEEP_ALIVE_MS,
        clientTtl: CONNECTION_LIFE_MS,
        maxHeaderSize: MAX_HEAD_BYTES,
        // The request's own deadline ends it.
        headersTimeout: 0,
        bodyTimeout: 0,
        connect: { timeout: CONNECT_MS },
      });
      return this.#ready;
    });
    this.#reachability = new Reachability(
      url,
      () => this.#release(),
      (nowMs) => this.#look(nowMs),
    );
  }

  get held(): number {
    return this.#held.size;
  }

  send(request: UpstreamRequest, holdMs: number, sink: UpstreamSink): Ticket {
    const passenger: Passenger = {
      request,
      sink,
      holdMs,
      heldUntilMs: 0,
      retried: false,
      attempt: null,
      withdrawn: false,
    };
    this.#lastRequestMs = performance.now();
    if (this.#reachability.lost) this.#hold(passenger);
    else this.#pass(passenger);
    return {
      withdraw: () => {
        passenger.withdrawn = true;
        this.#leave(passenger);
        passenger.attempt?.abandon();
      },
    };
  }

  /** Requests under way are finished; those that are held are told that nobody comes. */
  async close(): Promise<void> {
    this.#reachability.stop();
    for (const passenger of this.#held) this.#fail(passenger, 'unreachable');
    await (await this.#pool).close();
  }

  #pass(passenger: Passenger): void {
    if (this.#ready === null) {
      void this.#pool.then(() => passenger.withdrawn || this.#pass(passenger));
      return;
    }
    const { request, sink } = passenger;
    passenger.attempt = new Attempt(this.#ready, request, {
      answered: (answer) => sink.answered(answer),
      failed: (failure, sent) => {
        if (!sent) {
          this.#reachability.lose();
          return this.#hold(passenger);
        }
        if (failure !== 'broken' || passenger.retried || !isIdempotent(request)) return sink.failed(failure);
        passenger.retried = true;
        return this.#pass(passenger);
      },
    });
  }

  #hold(passenger: Passenger): void {
    const { request, sink, holdMs } = passenger;
    passenger.attempt = null;
    if (holdMs === 0) return sink.failed('unreachable');
    const nowMs = performance.now();
    if (passenger.heldUntilMs === 0) passenger.heldUntilMs = nowMs + holdMs;
    if (nowMs >= passenger.heldUntilMs) return sink.failed('held-too-long');
    if (this.#heldBytes + sizeOf(request) > MAX_HELD_BYTES) return sink.failed('no-room');
    this.#held.add(passenger);
    this.#heldBytes += sizeOf(request);
    sink.held();
  }

  #leave(passenger: Passenger): void {
    if (this.#held.delete(passenger)) this.#heldBytes -= sizeOf(passenger.request);
  }

  #release(): void {
    for (const passenger of this.#held) {
      this.#leave(passenger);
      passenger.sink.released();
      this.#pass(passenger);
    }
  }

  /** Tells those who waited too long. False: nobody waits, and nobody came for a while. */
  #look(nowMs: number): boolean {
    for (const passenger of this.#held) {
      if (nowMs >= passenger.heldUntilMs) this.#fail(passenger, 'held-too-long');
    }
    return this.#held.size > 0 || nowMs - this.#lastRequestMs < INTEREST_MS;
  }

  #fail(passenger: Passenger, failure: UpstreamFailure): void {
    this.#leave(passenger);
    passenger.sink.failed(failure);
  }
}
