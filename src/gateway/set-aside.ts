import { performance } from 'node:perf_hooks';
import { functionCounter } from '../observability/definitions.ts';
import { Backlog, isCostly } from './backlog.ts';
import type { Call } from './call.ts';
import type { ActiveRevision } from './deployment.ts';
import type { Gateway } from './gateway.ts';
import { tooLate } from './refusals.ts';
import { ADMIT, NEXT, WAIT, type Verdict } from './verdict.ts';

/** The costly runs of this thread: set aside while it reads, done between two looks at its sockets (backlog.ts). */
export class SetAside {
  readonly #gateway: Gateway;
  readonly #backlog = new Backlog<Call, ActiveRevision>();
  #isScheduled = false;
  readonly #workOff = (): void => this.#runSlice();

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
  }

  /** A request has just been routed: true when the thread has too much to do already for a function that costs so much. */
  refuses(active: ActiveRevision): boolean {
    const runMs = active.pace.typicalMs.value;
    return isCostly(runMs) && !active.pace.slow && !this.#backlog.admits(active, runMs);
  }

  /** The last thing before its run: a costly one waits for its turn, unless it goes to a lane. */
  setAside(call: Call): Verdict {
    const active = call.active as ActiveRevision;
    const runMs = active.pace.typicalMs.value;
    if (!isCostly(runMs) || active.pace.slow) return NEXT;
    this.#backlog.add(call, active, runMs, performance.now());
    call.wait(() => {
      this.#backlog.delete(call);
      this.#gateway.metrics.add(call.slot(), functionCounter.queueAborted, 1);
    });
    this.#schedule();
    return WAIT;
  }

  /** Immediates run when all sockets that were ready have been read: the end of the turn. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#workOff);
  }

  #runSlice(): void {
    const backlog = this.#backlog;
    this.#isScheduled = false;
    backlog.beginSlice(performance.now());
    for (let next = backlog.next(performance.now()); next !== null; next = backlog.next(performance.now()))
      this.#goOn(next.item, next.isTooLate);
    if (backlog.size > 0) this.#schedule();
  }

  #goOn(call: Call, isTooLate: boolean): void {
    const { lifecycle } = this.#gateway;
    call.waited(call.turn);
    if (!isTooLate) return lifecycle.resume(call, ADMIT);
    tooLate(this.#gateway, call);
    return lifecycle.finish(call);
  }
}
