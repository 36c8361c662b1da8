import type { Concurrency } from '../limits/concurrency.ts';
import type { RateLimiter } from '../limits/gcra.ts';
import { KeyHash, LimitKey } from '../limits/key.ts';
import type { MetricRow } from '../observability/metric-slab.ts';
import type { DecisionLog } from '../policy/decision-log.ts';
import type { Pools } from '../runtime/pools.ts';
import type { Authenticator } from './auth/authenticator.ts';
import { CallFrame } from './call-frame.ts';
import type { Lanes } from './lanes.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Outbox } from './outbox.ts';
import { RequestIds } from './request-id.ts';
import { Sampler } from './sampler.ts';
import { SetAside } from './set-aside.ts';
import type { Tables } from './tables.ts';
import { Upstreams } from '../upstream/upstreams.ts';
import { Waiting } from './waiting.ts';

/** Stages of every n-th request are timed. A prime, so that it does not fall in step with a client's connections. */
const SAMPLE_EVERY = 17;

export interface GatewayParts {
  readonly tables: Tables;
  readonly authenticator: Authenticator | null;
  readonly limiter: RateLimiter;
  readonly concurrency: Concurrency;
  readonly lanes: Lanes;
  readonly pools: Pools;
  readonly metrics: MetricRow;
  readonly outbox: Outbox;
}

/** What the stages of one thread work with. What a new snapshot replaces is not readonly. */
export class Gateway {
  tables: Tables;
  authenticator: Authenticator | null;
  decisionLog: DecisionLog | null = null;
  readonly limiter: RateLimiter;
  readonly concurrency: Concurrency;
  readonly lanes: Lanes;
  readonly pools: Pools;
  readonly metrics: MetricRow;
  readonly outbox: Outbox;
  readonly waiting: Waiting;
  readonly upstreams = new Upstreams();
  readonly aside = new SetAside(this);
  readonly requestIds = new RequestIds();
  readonly sampler = new Sampler(SAMPLE_EVERY);
  /** Reused by every request of this thread. */
  readonly frame = new CallFrame();
  readonly keyHash: KeyHash;
  readonly scratchKey = new LimitKey();
  /** Set when the thread is told to drain. */
  draining = false;
  lifecycle!: Lifecycle;
  #jobs = 0;

  constructor(parts: GatewayParts) {
    this.tables = parts.tables;
    this.authenticator = parts.authenticator;
    this.limiter = parts.limiter;
    this.concurrency = parts.concurrency;
    this.lanes = parts.lanes;
    this.pools = parts.pools;
    this.metrics = parts.metrics;
    this.outbox = parts.outbox;
    this.keyHash = new KeyHash(parts.limiter.seedLow, parts.limiter.seedHigh);
    this.waiting = new Waiting((call) => this.lifecycle.expire(call));
    this.traceRequests(parts.tables.snapshot.traceRequests);
  }

  /** `mayfly dev` wants to see every request. */
  traceRequests(every: boolean): void {
    this.sampler.every = every ? 1 : SAMPLE_EVERY;
  }

  nextJobId(): number {
    return ++this.#jobs;
  }
}
