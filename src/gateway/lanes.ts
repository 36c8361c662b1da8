import type { MessagePort } from 'node:worker_threads';
import type { LaneAnswer, LaneJob } from './lane-protocol.ts';

/** A request that waits for a lane, or runs in one. */
export interface LaneTicket {
  readonly function: string;
  readonly job: LaneJob;
  /** Called once: with the answer, or with null when the lane died under it. */
  settle(answer: LaneAnswer | null): void;
}

interface Lane {
  readonly index: number;
  readonly port: MessagePort;
  running: LaneTicket | null;
}

/**
 * This thread's side of the lanes: threads that run slow functions. A lane has one request of this thread at a time;
 * the others wait here, in one row per function, and the rows take turns, so that a function that hogs lanes delays
 * only itself. No function holds more than half of the lanes.
 */
export class Lanes {
  readonly #lanes = new Map<number, Lane>();
  readonly #waiting = new Map<string, LaneTicket[]>();
  readonly #running = new Map<string, number>();

  get available(): boolean {
    return this.#lanes.size > 0;
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
    const row = this.#waiting.get(ticket.function);
    if (row === undefined) this.#waiting.set(ticket.function, [ticket]);
    else row.push(ticket);
    this.#dispatch();
  }

  /** Takes a ticket back that still waits. False: it runs already, and its answer will be thrown away. */
  withdraw(ticket: LaneTicket): boolean {
    const row = this.#waiting.get(ticket.function);
    const at = row === undefined ? -1 : row.indexOf(ticket);
    if (row === undefined || at < 0) return false;
    row.splice(at, 1);
    if (row.length === 0) this.#waiting.delete(ticket.function);
    return true;
  }

  #dispatch(): void {
    const share = Math.max(1, Math.ceil(this.#lanes.size / 2));
    for (const lane of this.#lanes.values()) {
      if (lane.running !== null) continue;
      const ticket = this.#next(share);
      if (ticket === null) return;
      lane.running = ticket;
      this.#running.set(ticket.function, (this.#running.get(ticket.function) ?? 0) + 1);
      lane.port.postMessage(ticket.job, [ticket.job.frame]);
    }
  }

  /** The first ticket of the function whose turn it is; that function goes to the end of the round. */
  #next(share: number): LaneTicket | null {
    for (const [name, row] of this.#waiting) {
      if ((this.#running.get(name) ?? 0) >= share) continue;
      const ticket = row.shift() as LaneTicket;
      this.#waiting.delete(name);
      if (row.length > 0) this.#waiting.set(name, row);
      return ticket;
    }
    return null;
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
