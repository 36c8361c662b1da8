import { INLINE_BUDGET_MS } from './pace.ts';
import { RunningMedian } from './running-median.ts';

/** A turn whose last request began later than this is late. With the turn before it, clients so wait for 20 ms at most. */
const LATE_MS = 8;
/** So much work done late, without a turn in time in between, is no burst: the queue stands. */
const PATIENCE_MS = 20;
/** For a while after shedding ended a queue that stands again is recognised sooner. */
const WARY_PATIENCE_MS = 4;
const WARY_FOR_MS = 1000;
/** While a queue stands, a turn serves for so long and refuses the rest: who is refused shall know at once. */
const SERVE_MS = 1;
/** Shedding ends when the thread has been idle for so long more than a share of the time: it could have served more; */
const SPARE_MS = 5;
const SPARE_SHARE = 0.1;
/** or when nothing had to be refused for so long, */
const CALM_MS = 50;
/** or when so long a trial without refusals had no request that waited for more than this. Each trial comes later. */
const TRIAL_MS = 100;
const TRIAL_LATE_MS = 5;
const FIRST_TRIAL_AFTER_MS = 250;
const LAST_TRIAL_AFTER_MS = 4000;
/** Each millisecond of serving pays for this much refusing: never more than a third of the time. */
const REFUSING_SHARE = 1 / 2;
const MOST_CREDIT_MS = 10;
/** A refusal is worth it when the run it saves takes so many times as long. */
const WORTH_IT = 2;
/** What a refusal takes, until it was measured. */
const REFUSAL_MS = 0.02;

const SERVING = 0;
const SHEDDING = 1;
const TRYING = 2;

/**
 * Decides which requests a thread refuses because more comes than it carries.
 *
 * Functions run inline, so the waiting line of a thread is not a list but the sockets that are ready to be read, and
 * nobody knows how long a request has waited in one. A bound is known: all that is ready when the event loop looks is
 * handled in one *turn*, so what is handled late in a turn has waited since it began, at least. That is the sojourn
 * time for a rule as in CoDel (RFC 8289): a burst may wait; when turn after turn ends late the queue stands, waiting only
 * adds delay, and what is not served early in its turn is refused. Soon after shedding ended it begins again with less
 * patience, as CoDel resumes its rate of drops (RFC 8289 §5.5).
 *
 * A thread that refused and then had nothing to do was wrong: what came was a burst, or had gathered while the thread was
 * put aside (a container at its CPU limit). So idle time ends shedding, and leaves no wariness behind.
 *
 * Whoever is refused may ask again at once. Then there is always somebody to refuse, even when all that come could be
 * served in time: so shedding stops now and then, to see whether it is needed.
 *
 * To refuse a request it has to be read and answered, which is most of what a quick function costs. Such requests are
 * served even when they are late: refusing them would only turn good answers into bad ones. It is the slower functions
 * that make a thread late, so it is theirs that are refused; and that too may not take more time than a share of what
 * is spent on serving.
 *
 * All times are monotonic milliseconds. The caller says when turns end; `inTurn` says whether it has to.
 */
export class Shedding {
  inTurn = false;
  #state: typeof SERVING | typeof SHEDDING | typeof TRYING = SERVING;
  #turnBeganMs = 0;
  /** The last request that was judged: when, whether it was refused, how long its function takes. */
  #judgedMs = 0;
  #refused = false;
  #runMs = 0;
  /** Work done late since the last turn in time. */
  #lateMs = 0;
  #refusedMs = Number.NEGATIVE_INFINITY;
  #creditMs = 0;
  readonly #refusalMs = new RunningMedian(REFUSAL_MS);
  #turnEndedMs = 0;
  #spareMs = 0;
  #triedMs = 0;
  #tryAfterMs = FIRST_TRIAL_AFTER_MS;

  /** Judges the next request, whose function typically takes `runMs`. True: refuse it. */
  refuses(nowMs: number, runMs: number): boolean {
    const sinceMs = nowMs - this.#judgedMs;
    if (this.inTurn) {
      this.#refused = this.#judge(nowMs, nowMs - this.#turnBeganMs, sinceMs, runMs);
    } else {
      if (this.#state === SHEDDING) this.#weighIdleness(nowMs);
      this.inTurn = true;
      this.#turnBeganMs = nowMs;
      this.#refused = false;
    }
    this.#judgedMs = nowMs;
    this.#runMs = runMs;
    return this.#refused;
  }

  /** All that was ready has been handled. */
  turnEnds(nowMs: number): void {
    this.inTurn = false;
    this.#turnEndedMs = nowMs;
    if (this.#judgedMs - this.#turnBeganMs <= LATE_MS) this.#lateMs = 0;
    if (this.#state === SERVING) return;
    this.#account(nowMs - this.#judgedMs);
    if (this.#state === TRYING) {
      if (nowMs - this.#triedMs > TRIAL_MS) this.#state = SERVING;
    } else if (nowMs - this.#refusedMs > CALM_MS) {
      this.#state = SERVING;
    } else if (nowMs - this.#triedMs > this.#tryAfterMs) {
      this.#state = TRYING;
      this.#triedMs = nowMs;
    }
  }

  #judge(nowMs: number, waitedMs: number, sinceMs: number, runMs: number): boolean {
    if (this.#state !== SERVING) this.#account(sinceMs);
    if (waitedMs <= SERVE_MS) return false;
    if (this.#state === TRYING ? waitedMs > TRIAL_LATE_MS : waitedMs > LATE_MS) this.#isLate(nowMs, sinceMs);
    if (this.#state !== SHEDDING || runMs < WORTH_IT * this.#refusalMs.value || this.#creditMs <= 0)
      return false;
    this.#refusedMs = nowMs;
    return true;
  }

  #weighIdleness(nowMs: number): void {
    const idleMs = Math.min(nowMs - this.#turnEndedMs, INLINE_BUDGET_MS);
    const allowedMs = SPARE_SHARE * (nowMs - this.#turnBeganMs);
    this.#spareMs = Math.max(0, this.#spareMs + idleMs - allowedMs);
    if (this.#spareMs <= SPARE_MS) return;
    this.#state = SERVING;
    this.#refusedMs = Number.NEGATIVE_INFINITY;
  }

  #isLate(nowMs: number, sinceMs: number): void {
    // What takes much longer than the function does is a thread that was put aside, and nobody's work.
    this.#lateMs += Math.min(sinceMs, 2 * this.#runMs);
    if (this.#state === SHEDDING) return;
    if (this.#state === TRYING) {
      this.#tryAfterMs = Math.min(2 * this.#tryAfterMs, LAST_TRIAL_AFTER_MS);
    } else {
      const isWary = nowMs - this.#refusedMs < WARY_FOR_MS;
      if (this.#lateMs <= (isWary ? WARY_PATIENCE_MS : PATIENCE_MS)) return;
      if (!isWary) this.#tryAfterMs = FIRST_TRIAL_AFTER_MS;
      this.#creditMs = MOST_CREDIT_MS;
      this.#spareMs = 0;
    }
    this.#state = SHEDDING;
    this.#triedMs = nowMs;
  }

  /** What came of the last judgement took so long, reading and writing included. */
  #account(tookMs: number): void {
    const ms = Math.min(tookMs, INLINE_BUDGET_MS);
    if (this.#refused) {
      this.#creditMs -= ms;
      this.#refusalMs.add(ms);
    } else {
      this.#creditMs = Math.min(MOST_CREDIT_MS, this.#creditMs + REFUSING_SHARE * ms);
    }
  }
}
