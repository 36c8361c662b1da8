/** A place for one data-plane thread. The worker in it changes when one dies; the place, its row and its name stay. */
import { MessageChannel, Worker, type ResourceLimits } from 'node:worker_threads';
import type { FromThread, ThreadData, ToThread } from '../model/protocol.ts';
import { decideRestart } from './restart.ts';
import { reviveError } from './thread-error.ts';

export interface ThreadName {
  readonly role: 'front' | 'lane';
  readonly index: number;
  /** Its row in the per-thread tables: fronts first, then lanes. */
  readonly row: number;
}

export type SeatState = 'starting' | 'ready' | 'waiting';

/** Why a worker is gone; `error` is what it threw, if it did. */
export interface Death {
  readonly reason: string;
  readonly error: Error | null;
}

/** What a seat tells its supervisor. */
export interface SeatEvents {
  onMessage(seat: Seat, message: FromThread): void;
  onDeath(seat: Seat, death: Death): void;
}

export class Seat {
  readonly name: ThreadName;
  state: SeatState = 'waiting';
  /** Version of the snapshot in force there. */
  applied = -1;
  restarts = 0;
  readonly #events: SeatEvents;
  #worker: Worker | null = null;
  #bornAt = 0;
  #earlyDeaths = 0;
  #pingedAt: number | null = null;
  /** Why we ended the worker ourselves. */
  #verdict: string | null = null;
  #drained: ((aborted: number) => void) | null = null;

  constructor(name: ThreadName, events: SeatEvents) {
    this.name = name;
    this.#events = events;
  }

  get alive(): boolean {
    return this.#worker !== null;
  }

  get ageMs(): number {
    return performance.now() - this.#bornAt;
  }

  /** Since when a ping waits for its pong, in milliseconds; 0: none does. */
  get silentMs(): number {
    return this.#pingedAt === null ? 0 : performance.now() - this.#pingedAt;
  }

  spawn(entry: URL, data: Omit<ThreadData, keyof ThreadName>, resourceLimits: ResourceLimits): void {
    const worker = new Worker(entry, {
      workerData: { ...this.name, ...data } satisfies ThreadData,
      name: `mayfly ${this.name.role} ${this.name.index}`,
      resourceLimits,
    });
    this.#worker = worker;
    this.state = 'starting';
    this.applied = data.snapshot.version;
    this.#bornAt = performance.now();
    this.#pingedAt = null;
    this.#verdict = null;
    let error: Error | null = null;
    worker.on('message', (message: FromThread) => this.#hear(message));
    worker.on('messageerror', (cause) => this.condemn(`it sent something unreadable: ${cause.message}`));
    worker.on('error', (cause) => {
      error = reviveError(cause);
    });
    worker.on('exit', (exitCode) => {
      this.#worker = null;
      this.state = 'waiting';
      this.#drained?.(0);
      const reason = this.#verdict ?? error?.message ?? `it ended with code ${exitCode}`;
      this.#events.onDeath(this, { reason, error });
    });
  }

  send(message: ToThread): void {
    this.#worker?.postMessage(message);
  }

  ping(id: number): void {
    this.#pingedAt ??= performance.now();
    this.send({ type: 'ping', id });
  }

  /** Gives both threads an end of a channel, if both live. */
  connect(lane: Seat): void {
    if (this.#worker === null || lane.#worker === null) return;
    const { port1, port2 } = new MessageChannel();
    this.#worker.postMessage({ type: 'lane', index: lane.name.index, port: port1 }, [port1]);
    lane.#worker.postMessage({ type: 'lane', index: this.name.index, port: port2 }, [port2]);
  }

  /** Ends the worker, whatever it is doing; `onDeath` follows with this reason. */
  condemn(reason: string): void {
    if (this.#worker === null) return;
    this.#verdict ??= reason;
    void this.#worker.terminate();
  }

  /** After a death: how long to wait before the next `spawn`. */
  restartDelayMs(): number {
    const restart = decideRestart(this.ageMs, this.#earlyDeaths);
    this.#earlyDeaths = restart.earlyDeaths;
    this.restarts++;
    return restart.delayMs;
  }

  /** Lets the thread finish; resolves with the number of requests that did not make it. */
  async drain(graceMs: number): Promise<number> {
    if (this.#worker === null) return 0;
    const { promise, resolve } = Promise.withResolvers<number>();
    // A second beyond the grace for a thread that is too stuck to say that it is done.
    const timer = setTimeout(() => resolve(0), graceMs + 1000);
    this.#drained = resolve;
    this.send({ type: 'drain', graceMs });
    const aborted = await promise;
    clearTimeout(timer);
    return aborted;
  }

  async end(): Promise<void> {
    await this.#worker?.terminate();
  }

  #hear(message: FromThread): void {
    if (message.type === 'ready') this.state = 'ready';
    else if (message.type === 'applied') this.applied = Math.max(this.applied, message.version);
    else if (message.type === 'pong') this.#pingedAt = null;
    else if (message.type === 'drained') this.#drained?.(message.aborted);
    this.#events.onMessage(this, message);
  }
}
