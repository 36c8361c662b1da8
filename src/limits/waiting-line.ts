/** A request that waits for a place. Exactly one of the two is called, once. They must not throw. */
export interface Waiter {
  onEntered(): void;
  /** Waited too long, or the function went away. */
  onDropped(): void;
}

/** Shortest time a standing queue is allowed to hold a request. */
const SHORTEST_TARGET_MS = 5;
/** A queue that was not empty for so long is standing, not a burst. */
const SHORTEST_INTERVAL_MS = 100;
/** So many departures' worth of waiting keep the places busy; more only makes everybody late. */
const TARGET_DEPARTURES = 4;

interface Ticket<Who> {
  readonly waiter: Who;
  readonly since: number;
  readonly timeoutMs: number;
  gone: boolean;
}

/**
 * One function's waiting requests on one thread (for a place, or for a lane), first in first out, with deadlines instead of hope.
 *
 * Nobody waits longer than the timeout of its request (`worker_timeout`). When the queue has not been empty for an
 * interval it is *standing*: waiting then only adds delay, so the time allowed shrinks to a target, as in CoDel (RFC
 * 8289) and in the form for request queues by Maurer ("Fail at Scale", ACM Queue 13(8), 2015). Interval and target
 * follow the pace at which this function's places become free, so that a slow function keeps enough waiting requests
 * to stay busy: target = max(5 ms, 4 departures), interval = max(100 ms, 4 targets).
 */
export class WaitingLine<Who extends object = Waiter> {
  /** Set by whoever is letting requests of this line in. */
  admitting = false;
  readonly #tickets: (Ticket<Who> | undefined)[] = [];
  #head = 0;
  #waiting = 0;
  #emptyAt: number;
  #lastDeparture: number;
  #departureMs = 0;

  constructor(now: number) {
    this.#emptyAt = now;
    this.#lastDeparture = now;
  }

  get size(): number {
    return this.#waiting;
  }

  add(waiter: Who, timeoutMs: number, now: number): void {
    if (this.#waiting === 0) {
      this.#emptyAt = now;
      this.#lastDeparture = now;
    }
    this.#tickets.push({ waiter, since: now, timeoutMs, gone: false });
    this.#waiting++;
  }

  /** The next request whose deadline is not over, or null. The caller has a place for it. */
  next(now: number): Who | null {
    const ticket = this.#oldest();
    if (ticket === undefined) return null;
    this.#depart(now);
    this.#leave(ticket, now);
    return ticket.waiter;
  }

  /** Takes out the oldest request if it has waited too long, else null. Ask again until null. */
  overdue(now: number): Who | null {
    const ticket = this.#oldest();
    if (ticket === undefined || now - ticket.since <= this.#allowed(ticket, now)) return null;
    this.#leave(ticket, now);
    return ticket.waiter;
  }

  /** Takes a request out that gave up by itself. */
  withdraw(waiter: Who, now: number): boolean {
    const ticket = this.#tickets.find((candidate) => candidate?.waiter === waiter && !candidate.gone);
    if (ticket === undefined) return false;
    this.#leave(ticket, now);
    return true;
  }

  #allowed(ticket: Ticket<Who>, now: number): number {
    const target = Math.max(SHORTEST_TARGET_MS, TARGET_DEPARTURES * this.#pace(now));
    const standing = now - this.#emptyAt > Math.max(SHORTEST_INTERVAL_MS, 4 * target);
    return standing ? Math.min(target, ticket.timeoutMs) : ticket.timeoutMs;
  }

  /** Mean time between departures; when none came for longer than that, that. */
  #pace(now: number): number {
    return Math.max(this.#departureMs, now - this.#lastDeparture);
  }

  #depart(now: number): void {
    const gap = now - this.#lastDeparture;
    this.#departureMs = this.#departureMs === 0 ? gap : this.#departureMs + (gap - this.#departureMs) / 8;
    this.#lastDeparture = now;
  }

  #oldest(): Ticket<Who> | undefined {
    let ticket = this.#tickets[this.#head];
    while (ticket?.gone === true) {
      this.#tickets[this.#head++] = undefined;
      ticket = this.#tickets[this.#head];
    }
    // The array is a queue with a moving head; what is behind the head is cut off now and then.
    if (this.#head > 1024 && this.#head * 2 > this.#tickets.length) {
      this.#tickets.splice(0, this.#head);
      this.#head = 0;
    }
    return ticket;
  }

  #leave(ticket: Ticket<Who>, now: number): void {
    ticket.gone = true;
    this.#waiting--;
    if (this.#waiting === 0) {
      this.#emptyAt = now;
      this.#tickets.length = 0;
      this.#head = 0;
    }
  }
}
