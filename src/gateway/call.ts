import { performance } from 'node:perf_hooks';
import type { Exchange } from '../http/exchange.ts';
import { REQUEST_ID } from '../http/fields.ts';
import type { KeySource } from '../limits/key-plan.ts';
import type { RevisionSpec } from '../model/function.ts';
import { METHODS } from '../model/method.ts';
import { STAGES } from '../observability/definitions.ts';
import type { Session } from './auth/session.ts';
import type { ActiveRevision } from './deployment.ts';
import type { Gateway } from './gateway.ts';
import type { PolicyInput, RequestFacts } from './policy-input.ts';
import { parseQuery } from './query.ts';
import { RequestIdLine } from './request-id.ts';
import type { Route, Tables } from './tables.ts';
import type { SessionRoute } from './session-route.ts';

/** `rate_limit.limit` and `.remaining` where there is no rate limit. */
const UNLIMITED = Number.MAX_SAFE_INTEGER;

/** Whether bytes[start, end) are the Latin-1 text. */
function isText(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = start; i < end; i++) if (text.charCodeAt(i - start) !== bytes[i]) return false;
  return true;
}

/**
 * One request on its way through the stages: what each has found out so far. There is one per connection, used again
 * for every request on it; `turn` tells the requests apart for whatever comes back late.
 */
export class Call implements RequestFacts, KeySource {
  readonly exchange: Exchange<Call>;
  /** Counts the requests of this connection. */
  turn = 0;
  /** The tables it was routed by: a reload in between does not change them under it. */
  tables!: Tables;
  /** Null until the route stage found one. */
  route: Route | null = null;
  active: ActiveRevision | null = null;
  session: Session | null = null;
  /** What the rate limit leaves; −1 where there is none. `retryAfterMs`: when the next one passes. */
  remaining = -1;
  retryAfterMs = 0;
  /** True once a revision was run for it. */
  invoked = false;
  /** True while it holds one of its function's places. */
  admitted = false;
  /** True while a stage waits; `onAbandoned` undoes the waiting when the client leaves or time is up. */
  waiting = false;
  onAbandoned: (() => void) | null = null;
  /** Monotonic milliseconds: when its turn began, and when it must be answered. */
  startedMs = 0;
  deadlineMs = 0;
  /** Milliseconds spent in each stage, kept for sampled requests only. */
  sampled = false;
  readonly stageMs = new Float64Array(STAGES.length);
  #markedMs = 0;
  readonly #gateway: Gateway;
  readonly #requestId = new RequestIdLine();
  #hasRequestId = false;
  #path = '';
  #hasPath = false;

  constructor(gateway: Gateway, exchange: Exchange<Call>) {
    this.#gateway = gateway;
    this.exchange = exchange;
  }

  /** A new request: forget the last one. */
  begin(): void {
    this.turn++;
    this.route = null;
    this.active = null;
    this.session = null;
    this.remaining = -1;
    this.invoked = false;
    this.admitted = false;
    this.waiting = false;
    this.onAbandoned = null;
    this.#hasPath = false;
    this.#hasRequestId = false;
    this.startedMs = performance.now();
    this.sampled = this.#gateway.sampler.next();
    if (!this.sampled) return;
    this.stageMs.fill(0);
    this.#markedMs = this.startedMs;
  }

  routed(tables: Tables, route: Route): void {
    this.tables = tables;
    this.route = route;
    this.active = route.deployment.pick();
    this.deadlineMs = this.startedMs + this.active.revision.limits.requestTimeoutMs;
  }

  /** A stage is over: the time since the last mark was its. */
  mark(stage: number): void {
    if (!this.sampled) return;
    const now = performance.now();
    this.stageMs[stage] += now - this.#markedMs;
    this.#markedMs = now;
  }

  /** A stage waits from here on. `onAbandoned` is called if the request ends before `waited`. */
  wait(onAbandoned: (() => void) | null): void {
    this.waiting = true;
    this.onAbandoned = onAbandoned;
    this.#gateway.waiting.add(this);
  }

  /** What was waited for has come. False: it came too late, the request (number `turn`) has ended meanwhile. */
  waited(turn: number): boolean {
    if (this.turn !== turn || !this.waiting) return false;
    this.waiting = false;
    this.onAbandoned = null;
    this.#gateway.waiting.delete(this);
    return true;
  }

  /** The client left, or time is up: whatever was waited for is let go. */
  abandon(): void {
    const undo = this.onAbandoned;
    if (this.waiting) this.waited(this.turn);
    undo?.();
  }

  path(): string {
    if (this.#hasPath) return this.#path;
    const { head, bytes } = this.exchange;
    // A client mostly asks for the same path again: comparing costs less than making a string.
    if (!isText(this.#path, bytes, head.pathStart, head.pathEnd)) {
      this.#path = bytes.toString('latin1', head.pathStart, head.pathEnd);
    }
    this.#hasPath = true;
    return this.#path;
  }

  method(): string {
    return METHODS[this.exchange.head.method];
  }

  query(): Record<string, string> {
    const { head, bytes } = this.exchange;
    return parseQuery(bytes.toString('latin1', head.queryStart, head.queryEnd));
  }

  /** Lower case, without port. */
  host(): string {
    const { head, bytes } = this.exchange;
    return bytes.toString('latin1', head.hostStart, head.hostNameEnd).toLowerCase();
  }

  ip(): string {
    return this.exchange.remoteAddress;
  }

  /** The client's own id where it is well-formed, else a new one. */
  requestIdLine(): RequestIdLine {
    if (this.#hasRequestId) return this.#requestId;
    const { head, bytes } = this.exchange;
    const row = head.row(REQUEST_ID);
    const given = row >= 0 && this.#requestId.take(bytes, head.valueStart(row), head.valueEnd(row));
    if (!given) this.#requestId.make(this.#gateway.requestIds);
    this.#hasRequestId = true;
    return this.#requestId;
  }

  requestId(): string {
    this.exchange.requestId ??= this.requestIdLine().value();
    return this.exchange.requestId;
  }

  /** Null when the request has no such field; `name` in any case. */
  header(name: string): string | null {
    return this.headers()[name.toLowerCase()] ?? null;
  }

  headers(): Record<string, string> {
    const { head, bytes } = this.exchange;
    const headers: Record<string, string> = Object.create(null) as Record<string, string>;
    for (let row = 0; row < head.headerCount; row++) {
      const name = bytes.toString('latin1', head.nameStart(row), head.nameEnd(row)).toLowerCase();
      const value = this.#value(row);
      headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
    }
    return headers;
  }

  claims(): Readonly<Record<string, unknown>> | null {
    return this.session === null ? null : this.session.claims;
  }

  /** The body as JSON, undefined when it is not. */
  body(): unknown {
    const { body, bodyStart, bodyEnd } = this.exchange;
    if (bodyStart === bodyEnd) return undefined;
    try {
      return JSON.parse(body.toString('utf8', bodyStart, bodyEnd));
    } catch {
      return undefined;
    }
  }

  /** After the route stage. */
  found(): Route {
    if (this.route === null) throw new Error('The request has no route yet');
    return this.route;
  }

  revision(): RevisionSpec {
    if (this.active === null) throw new Error('The request has no route yet');
    return this.active.revision;
  }

  /** The function's row in the shared tables. */
  slot(): number {
    return this.found().deployment.spec.slot;
  }

  /** Wall-clock time left of `request_timeout`, at least one millisecond. */
  remainingMs(): number {
    return Math.max(1, this.deadlineMs - performance.now());
  }

  subject(): string | null {
    return this.session === null ? null : this.session.subject;
  }

  address(): string {
    return this.exchange.remoteAddress;
  }

  claim(name: string): unknown {
    const claims = this.claims();
    return claims !== null && Object.hasOwn(claims, name) ? claims[name] : undefined;
  }

  sessionRoute(): SessionRoute {
    const route = this.found();
    return this.session === null
      ? route.anonymous
      : this.session.at(this.tables.snapshot.version, route.index);
  }

  /** The policy's input, built once per session and route and then only updated. */
  policyInput(): PolicyInput {
    const { input: plan, limit } = this.found();
    if (plan === null) throw new Error('The route has no policy');
    const state = this.sessionRoute();
    state.input ??= plan.create(this);
    // The request's own place counts as remaining: a policy that wants `remaining > 0` allows the last one of a burst.
    if (limit === null) return plan.fill(state.input, this, UNLIMITED, UNLIMITED);
    return plan.fill(state.input, this, limit.plan.limit.spec.burst, this.remaining + 1);
  }

  #value(row: number): string {
    const { head, bytes } = this.exchange;
    return bytes.toString('latin1', head.valueStart(row), head.valueEnd(row));
  }
}
