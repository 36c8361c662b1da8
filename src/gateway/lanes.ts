import type { MessagePort } from 'node:worker_threads';
import { WaitingLine } from '../limits/waiting-line.ts';
import type { LaneAnswer, LaneJob } from './lane-protocol.ts';

/** A request that waits for a lane, or runs in one. */
export interface LaneTicket {
  readonly function: string;
  readonly job: LaneJob;
  /** How long it may wait for a lane. */
  readonly patienceMs: number;
  /** One of these is called, once: with the answer, or with null when the lane died under it. */
  settle(answer: LaneAnswer | null): void;
  /** It has waited too long. */
  dropped(): void;
  /** It waited, and needs no lane any more. */
  recalled(): void;
}

interface Lane {
  readonly index: number;
  readonly port: MessagePort;
  running: LaneTicket | null;
}

/** How often waiting requests are looked through for those that have waited too long. */
const TICK_MS = 5;

/**
 * This thread's side of the lanes: threads that run slow functions. A lane has one request of this thread at a time;
 * the others wait here, in one row per function, and the rows take turns, so that a function that hogs lanes delays
 * only itself. No function holds more than half of the lanes. Nobody waits longer than he may (waiting-line.ts), also
 * when there is no lane: shortly after the start, or when all of them died.
 */
export class Lanes {
  readonly #now: () => number;
  readonly #lanes = new Map<number, Lane>();
  readonly #waiting = new Map<string, WaitingLine<LaneTicket>>();
  readonly #running = new Map<string, number>();
  /** Taken out of their rows, not told yet. */
  readonly #overdue: LaneTicket[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A lane started, or was replaced: what ran in its predecessor is lost. */
  attach(index: number, port: MessagePort): void {
    const previous = this.#lanes.get(index);
    const lane: Lane = { index, port, running: null };
    this.#lanes.set(index, lane);
    port.on('message', (answer: LaneAnswer) => this.#finish(lane, answer));
    port.on('close', () => this.#lost(lane));
    if (previous !== undefined) this.#lost(previous);
    this.#dispatch();
  }

  submit(ticket: LaneTicket): void {
    const now = this.#now();
    let row = this.#waiting.get(ticket.function);
    if (row === undefined) this.#waiting.set(ticket.function, (row = new WaitingLine(now)));
    row.add(ticket, ticket.patienceMs, now);
    this.#dispatch();
    if (this.#waiting.size > 0) this.#timer ??= setInterval(() => this.dropOverdue(), TICK_MS).unref();
  }

  /** Takes a ticket back that still waits. False: it runs already, and its answer will be thrown away. */
  withdraw(ticket: LaneTicket): boolean {
    const row = this.#waiting.get(ticket.function);
    if (row === undefined || !row.withdraw(ticket, this.#now())) return false;
    if (row.size === 0) this.#waiting.delete(ticket.function);
    return true;
  }

  /** Sends everybody away who waits for a lane to run `name`: the function is not slow after all. */
  recall(name: string): void {
    const row = this.#waiting.get(name);
    if (row === undefined) return;
    this.#waiting.delete(name);
    const now = this.#now();
    for (let ticket = row.next(now); ticket !== null; ticket = row.next(now)) ticket.recalled();
  }

  /** Lets go who has waited too long. Called by a timer while somebody waits. */
  dropOverdue(): void {
    const now = this.#now();
    for (const [name, row] of this.#waiting) {
      this.#setAside(row, now);
      if (row.size === 0) this.#waiting.delete(name);
    }
    if (this.#waiting.size === 0 && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
    this.#letGo();
  }

  #dispatch(): void {
    const share = Math.max(1, Math.ceil(this.#lanes.size / 2));
    for (const lane of this.#lanes.values()) {
      if (lane.running !== null) continue;
      const ticket = this.#next(share);
      if (ticket === null) break;
      this.#run(lane, ticket);
    }
    this.#letGo();
  }

  #run(lane: Lane, ticket: LaneTicket): void {
    lane.running = ticket;
    this.#running.set(ticket.function, (this.#running.get(ticket.function) ?? 0) + 1);
    lane.port.postMessage(ticket.job, [ticket.job.frame]);
  }

  /** The first ticket of the function whose turn it is; that function goes to the end of the round. */
  #next(share: number): LaneTicket | null {
    const now = this.#now();
    for (const [name, row] of this.#waiting) {
      if ((this.#running.get(name) ?? 0) >= share) continue;
      this.#setAside(row, now);
      const ticket = row.next(now);
      this.#waiting.delete(name);
      if (row.size > 0) this.#waiting.set(name, row);
      if (ticket !== null) return ticket;
    }
    return null;
  }

  #setAside(row: WaitingLine<LaneTicket>, now: number): void {
    for (let ticket = row.overdue(now); ticket !== null; ticket = row.overdue(now))
      this.#overdue.push(ticket);
  }

  /** Whoever is told may come back with another request at once: only when the rows are in order again. */
  #letGo(): void {
    for (const ticket of this.#overdue.splice(0)) ticket.dropped();
  }

  #finish(lane: Lane, answer: LaneAnswer | null): void {
    const ticket = lane.running;
    if (ticket === null || (answer !== null && answer.id !== ticket.job.id)) return;
    lane.running = null;
    const left = (this.#running.get(ticket.function) ?? 1) - 1;
    if (left === 0) this.#running.delete(ticket.function);
    else this.#running.set(ticket.function, left);
    ticket.settle(answer);
    this.#dispatch();
  }

  #lost(lane: Lane): void {
    if (this.#lanes.get(lane.index) === lane) this.#lanes.delete(lane.index);
    this.#finish(lane, null);
  }
}
