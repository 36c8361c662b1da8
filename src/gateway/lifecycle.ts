import type { Exchange, RequestHandler } from '../http/exchange.ts';
import { Call } from './call.ts';
import type { ActiveRevision } from './deployment.ts';
import type { Gateway } from './gateway.ts';
import { tooLate } from './refusals.ts';
import { admit } from './stages/admit.ts';
import { authenticate } from './stages/authenticate.ts';
import { authorize } from './stages/authorize.ts';
import { forward } from './stages/forward.ts';
import { invoke } from './stages/invoke.ts';
import { limit } from './stages/limit.ts';
import { record } from './stages/record.ts';
import { route } from './stages/route.ts';
import {
  ADMIT,
  ANSWERED,
  AUTHENTICATE,
  AUTHORIZE,
  INVOKE,
  LIMIT,
  NEXT,
  ROUTE,
  type Verdict,
} from './verdict.ts';

/**
 * The life of a request, in the order of its stages. Read this file first; each stage is one file under stages/.
 *
 *   parse         http/: bytes → Exchange                               400 408 413 414 417 431 501 505
 *   route         host, method, path → function                         404 405
 *                 a thread with too much to do refuses here             503
 *   authenticate  token → session                                       401
 *   limit         rate limit; leaves `remaining`                        429
 *   authorize     OPA policy, sees `rate_limit.remaining`               403 500
 *                 a costly function waits until all sockets were read       503
 *   admit         a place among the function's concurrent requests      503
 *   invoke        instance → guest, with fresh state; writes the answer 500 502 503 504
 *   or forward    to an upstream: the function runs elsewhere              502 503 504
 *   record        metrics, logs, traces
 *
 * Usually all of them run in one go, on the thread that took the connection, between two reads of its socket. A stage
 * that must wait (a token seen for the first time, a full function, a lane) says WAIT, and calls `resume` later.
 */
export class Lifecycle implements RequestHandler<Call> {
  readonly #gateway: Gateway;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
    gateway.lifecycle = this;
  }

  /** The head is here: find the route, which knows how large a body may be. Returns that, or −1 when it has answered. */
  onHead(exchange: Exchange<Call>): number {
    const call = (exchange.context ??= new Call(this.#gateway, exchange));
    call.begin();
    const verdict = route(this.#gateway, call);
    call.mark(ROUTE);
    if (verdict === NEXT) {
      const active = call.active as ActiveRevision;
      if (!this.#gateway.aside.refuses(active)) return call.found().deployment.maxRequestBodyBytes;
      tooLate(this.#gateway, call);
    }
    record(this.#gateway, call);
    return -1;
  }

  /** The whole request is here. */
  onRequest(exchange: Exchange<Call>): void {
    this.resume(exchange.context as Call, AUTHENTICATE);
  }

  /** The client left before its answer: what still runs for it is let go. */
  onAborted(exchange: Exchange<Call>): void {
    const call = exchange.context as Call;
    call.abandon();
    record(this.#gateway, call);
  }

  /** Its `request_timeout` is over while it waits. */
  expire(call: Call): void {
    call.abandon();
    call.requestId();
    call.exchange.problem('function-timeout');
    record(this.#gateway, call);
  }

  /** A stage that had to wait has answered by itself. */
  finish(call: Call): void {
    record(this.#gateway, call);
  }

  /** Runs the stages from `stage` on; what a stage waited for has come. */
  resume(call: Call, stage: number): void {
    const gateway = this.#gateway;
    let verdict: Verdict = NEXT;
    if (stage <= AUTHENTICATE) {
      verdict = authenticate(gateway, call);
      call.mark(AUTHENTICATE);
    }
    if (verdict === NEXT && stage <= LIMIT) {
      verdict = limit(gateway, call);
      call.mark(LIMIT);
    }
    if (verdict === NEXT && stage <= AUTHORIZE) {
      verdict = authorize(gateway, call);
      call.mark(AUTHORIZE);
    }
    if (verdict === NEXT && stage < ADMIT) verdict = gateway.aside.setAside(call);
    if (verdict === NEXT && stage <= ADMIT) {
      verdict = admit(gateway, call);
      call.mark(ADMIT);
    }
    if (verdict === NEXT) {
      const { upstream } = call.revision();
      verdict = upstream === undefined ? invoke(gateway, call) : forward(gateway, call, upstream);
      call.mark(INVOKE);
    }
    if (verdict === ANSWERED) record(gateway, call);
  }
}
