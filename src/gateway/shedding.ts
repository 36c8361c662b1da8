import { INLINE_BUDGET_MS } from './pace.ts';
import { RunningMedian } from './running-median.ts';

/** A turn whose last request began later than this is late. With the turn before it, clients so wait for 20 ms at most. */
const LATE_MS = 8;
/** So much work done late, without a turn in time in between, is no burst: the queue stands. */
const PATIENCE_MS = 25;
/** For a while after shedding ended a queue that stands again is recognised sooner. */
const WARY_PATIENCE_MS = 4;
const WARY_FOR_MS = 1000;
/** While a queue stands, a turn serves for so long and refuses the rest: who is refused shall know at once. */
const SERVE_MS = 1;
/** Shedding ends when nothing had to be refused for so long. */
const CALM_MS = 50;
/** Each millisecond of serving pays for this much refusing: never more than a third of the time. */
const REFUSING_SHARE = 1 / 2;
const MOST_CREDIT_MS = 10;
/** A refusal is worth it when the run it saves takes so many times as long. */
const WORTH_IT = 2;
/** What a refusal takes, until it was measured. */
const REFUSAL_MS = 0.02;

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
 * To refuse a request it has to be read and answered, which is most of what a quick function costs. Such requests are
 * served even when they are late: refusing them would only turn good answers into bad ones. It is the slower functions
 * that make a thread late, so it is theirs that are refused; and that too may not take more time than a share of what
 * is spent on serving.
 *
 * All times are monotonic milliseconds. The caller says when turns end; `inTurn` says whether it has to.
 */
export class Shedding {
  inTurn = false;
  #turnBeganMs = 0;
  /** When the last request was judged, and how. */
  #judgedMs = 0;
  #refused = false;
  /** Work done late since the last turn in time. */
  #lateMs = 0;
  #active = false;
  #refusedMs = Number.NEGATIVE_INFINITY;
  #creditMs = 0;
  readonly #refusalMs = new RunningMedian(REFUSAL_MS);

  /** Judges the next request, whose function typically takes `runMs`. True: refuse it. */
  refuses(nowMs: number, runMs: number): boolean {
    const sinceMs = nowMs - this.#judgedMs;
    this.#judgedMs = nowMs;
    if (!this.inTurn) {
      this.inTurn = true;
      this.#turnBeganMs = nowMs;
      return this.#serve();
    }
    const waitedMs = nowMs - this.#turnBeganMs;
    if (this.#active) this.#account(sinceMs);
    if (waitedMs <= SERVE_MS) return this.#serve();
    // A run has an end here; what takes longer is the thread that was put aside, and nobody's work.
    if (waitedMs > LATE_MS) this.#lateMs += Math.min(sinceMs, INLINE_BUDGET_MS);
    if (!this.#active) this.#considerBeginning(nowMs);
    if (!this.#active || runMs < WORTH_IT * this.#refusalMs.value || this.#creditMs <= 0)
      return this.#serve();
    this.#refused = true;
    this.#refusedMs = nowMs;
    return true;
  }

  /** All that was ready has been handled. */
  turnEnds(nowMs: number): void {
    this.inTurn = false;
    if (this.#active) this.#account(nowMs - this.#judgedMs);
    if (this.#judgedMs - this.#turnBeganMs <= LATE_MS) this.#lateMs = 0;
    if (nowMs - this.#refusedMs > CALM_MS) this.#active = false;
  }

  #serve(): false {
    this.#refused = false;
    return false;
  }

  #considerBeginning(nowMs: number): void {
    const isWary = nowMs - this.#refusedMs < WARY_FOR_MS;
    if (this.#lateMs <= (isWary ? WARY_PATIENCE_MS : PATIENCE_MS)) return;
    this.#active = true;
    this.#creditMs = MOST_CREDIT_MS;
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
