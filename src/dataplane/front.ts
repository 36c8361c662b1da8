/** Wires a front thread: listens, answers, and follows the main thread's snapshots. */
import type { MessagePort } from 'node:worker_threads';
import { Authenticator } from '../gateway/auth/authenticator.ts';
import { Evaluators } from '../gateway/evaluators.ts';
import { Gateway } from '../gateway/gateway.ts';
import { Lanes } from '../gateway/lanes.ts';
import { Lifecycle } from '../gateway/lifecycle.ts';
import { Outbox } from '../gateway/outbox.ts';
import { buildTables } from '../gateway/tables.ts';
import { listen, type Listener } from '../http/listener.ts';
import { Concurrency } from '../limits/concurrency.ts';
import { RateLimiter } from '../limits/gcra.ts';
import { monotonicNow } from '../limits/monotonic.ts';
import type { ThreadData, ToThread } from '../model/protocol.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { threadCounter } from '../observability/definitions.ts';
import { MetricRow } from '../observability/metric-slab.ts';
import { DecisionLog } from '../policy/decision-log.ts';
import { Spares } from '../runtime/spares.ts';
import { createPools, main, post, revisionsOf } from './thread.ts';

export async function runFront(data: ThreadData): Promise<void> {
  const outbox = new Outbox(post);
  const authenticator = new Authenticator(data.snapshot.auth, {
    onUnknownKey: (kid) => post({ type: 'unknown-key', kid }),
  });
  const evaluators = new Evaluators();
  evaluators.follow(data.snapshot);
  const pools = createPools(data);
  const spares = new Spares(pools);
  const gateway = new Gateway({
    tables: buildTables(data.snapshot, null, pools, evaluators.byId),
    authenticator,
    limiter: new RateLimiter(data.shared.rateLimits),
    concurrency: new Concurrency(data.shared.concurrency, data.row, monotonicNow),
    lanes: new Lanes(),
    pools,
    metrics: new MetricRow(data.shared.metrics, data.row),
    outbox,
  });
  adopt(gateway, data.snapshot, authenticator);
  spares.refill();
  const { plain, secure } = await openListeners(data, new Lifecycle(gateway));
  const listeners = [plain, secure].filter((listener) => listener !== null);
  for (const listener of listeners) countListener(listener, gateway.metrics);

  main.on('message', (message: ToThread) => {
    switch (message.type) {
      case 'snapshot':
        evaluators.follow(message.snapshot);
        gateway.tables = buildTables(message.snapshot, gateway.tables, pools, evaluators.byId);
        adopt(gateway, message.snapshot, authenticator);
        for (const listener of listeners) listener.update(message.snapshot.http);
        spares.refill();
        return post({ type: 'applied', version: message.snapshot.version });
      case 'ping':
        return post({ type: 'pong', id: message.id });
      case 'lane':
        return gateway.lanes.attach(message.index, message.port as unknown as MessagePort);
      case 'leave':
        gateway.draining = true;
        for (const listener of listeners) listener.leave();
        return;
      case 'drain':
        return void drain(gateway, listeners, message.graceMs);
    }
  });
  post({ type: 'ready', port: plain?.port ?? null, tlsPort: secure?.port ?? null });
}

async function openListeners(data: ThreadData, handler: Lifecycle) {
  const { listen: address, tls, shared, row, snapshot } = data;
  const common = {
    reusePort: true,
    handler,
    http: snapshot.http,
    gauges: new Int32Array(shared.gauges),
    row,
  };
  return {
    plain: address === null ? null : await listen({ ...common, ...address }),
    secure: tls === null ? null : await listen({ ...common, ...tls, secure: true }),
  };
}

const COUNT_EVERY_MS = 1000;

/** What the listener counts by itself reaches the metrics once a second. */
function countListener({ stats }: Listener, metrics: MetricRow): void {
  let accepted = 0;
  let refused = 0;
  const count = (): void => {
    metrics.addThread(threadCounter.connectionsAccepted, stats.accepted - accepted);
    metrics.addThread(threadCounter.connectionsRefused, stats.refused - refused);
    ({ accepted, refused } = stats);
    for (const [code, times] of stats.rejectedBy) metrics.rejected(code, times);
    stats.rejectedBy.clear();
  };
  setInterval(count, COUNT_EVERY_MS).unref();
}

/** The parts of a snapshot that live outside the tables. */
function adopt(gateway: Gateway, snapshot: Snapshot, authenticator: Authenticator): void {
  authenticator.update(snapshot.auth);
  gateway.authenticator = snapshot.auth === null ? null : authenticator;
  gateway.decisionLog = snapshot.decisionLog === null ? null : new DecisionLog(snapshot.decisionLog);
  gateway.traceRequests(snapshot.traceRequests);
  const urls = revisionsOf(snapshot).flatMap(({ upstream }) => upstream?.url ?? []);
  gateway.upstreams.keepOnly(new Set(urls));
}

async function drain(gateway: Gateway, listeners: readonly Listener[], graceMs: number): Promise<void> {
  gateway.draining = true;
  const aborted = await Promise.all(listeners.map((listener) => listener.drain(graceMs)));
  gateway.outbox.flush();
  post({ type: 'drained', aborted: aborted.reduce((sum, count) => sum + count, 0) });
}
