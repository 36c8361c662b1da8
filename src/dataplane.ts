/**
 * Wires one data-plane thread: the entry of every worker that the supervisor starts (model/protocol.ts: ThreadData).
 * A front listens and answers; a lane only runs functions.
 */
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { Authenticator } from './gateway/auth/authenticator.ts';
import { Evaluators } from './gateway/evaluators.ts';
import { Gateway } from './gateway/gateway.ts';
import { Lane } from './gateway/lane.ts';
import { Lanes } from './gateway/lanes.ts';
import { Lifecycle } from './gateway/lifecycle.ts';
import { Outbox } from './gateway/outbox.ts';
import { buildTables } from './gateway/tables.ts';
import { listen } from './http/listener.ts';
import { Concurrency } from './limits/concurrency.ts';
import { RateLimiter } from './limits/gcra.ts';
import { monotonicNow } from './limits/monotonic.ts';
import type { RevisionSpec } from './model/function.ts';
import type { FromThread, ThreadData, ToThread } from './model/protocol.ts';
import { GAUGE } from './model/shared.ts';
import type { Snapshot } from './model/snapshot.ts';
import { MetricRow } from './observability/metric-slab.ts';
import { DecisionLog } from './policy/decision-log.ts';
import { createGuest } from './runtime/guests.ts';
import { Pools } from './runtime/pools.ts';
import { RuntimeThread } from './runtime/runtime-thread.ts';

// A guest's trap is an Error with a stack that nobody reads: do not pay for it.
Error.stackTraceLimit = 0;

const data = workerData as ThreadData;
const main = parentPort as MessagePort;
const post = (message: FromThread): void => main.postMessage(message);
const runtime = new RuntimeThread(data.shared.epoch);
const gauges = new Int32Array(data.shared.gauges);
const instances = GAUGE.instancesOf(data.row);
const pools = new Pools(
  data.snapshot.maxInstances,
  (revision) => createGuest(runtime, revision),
  (change) => Atomics.add(gauges, instances, change),
);

if (data.role === 'front') await runFront();
else runLane();

async function runFront(): Promise<void> {
  const outbox = new Outbox(post);
  const authenticator = new Authenticator(data.snapshot.auth, {
    onUnknownKey: (kid) => post({ type: 'unknown-key', kid }),
  });
  const evaluators = new Evaluators();
  evaluators.follow(data.snapshot);
  const gateway = new Gateway({
    tables: buildTables(data.snapshot, null, pools, evaluators.byId),
    authenticator,
    decisionLog: null,
    limiter: new RateLimiter(data.shared.rateLimits),
    concurrency: new Concurrency(data.shared.concurrency, data.row, monotonicNow),
    lanes: new Lanes(),
    pools,
    metrics: new MetricRow(data.shared.metrics, data.row),
    outbox,
  });
  adopt(gateway, data.snapshot, authenticator);
  const { listen: address } = data;
  if (address === null) throw new Error('A front thread needs an address');
  const listener = await listen({
    ...address,
    reusePort: true,
    handler: new Lifecycle(gateway),
    http: data.snapshot.http,
    gauges,
    row: data.row,
  });

  main.on('message', (message: ToThread) => {
    switch (message.type) {
      case 'snapshot':
        evaluators.follow(message.snapshot);
        gateway.tables = buildTables(message.snapshot, gateway.tables, pools, evaluators.byId);
        adopt(gateway, message.snapshot, authenticator);
        listener.update(message.snapshot.http);
        return post({ type: 'applied', version: message.snapshot.version });
      case 'ping':
        return post({ type: 'pong', id: message.id });
      case 'lane':
        return gateway.lanes.attach(message.index, message.port as unknown as MessagePort);
      case 'drain':
        gateway.draining = true;
        listener.drain(message.graceMs).then((aborted) => {
          outbox.flush();
          post({ type: 'drained', aborted });
        });
    }
  });
  post({ type: 'ready', port: listener.port });
}

/** The parts of a snapshot that live outside the tables. */
function adopt(gateway: Gateway, snapshot: Snapshot, authenticator: Authenticator): void {
  authenticator.update(snapshot.auth);
  gateway.authenticator = snapshot.auth === null ? null : authenticator;
  gateway.decisionLog = snapshot.decisionLog === null ? null : new DecisionLog(snapshot.decisionLog);
  gateway.traceRequests(snapshot.traceRequests);
}

function runLane(): void {
  yieldToFronts();
  const lane = new Lane(pools);
  lane.setRevisions(revisionsOf(data.snapshot));
  main.on('message', (message: ToThread) => {
    switch (message.type) {
      case 'snapshot':
        lane.setRevisions(revisionsOf(message.snapshot));
        return post({ type: 'applied', version: message.snapshot.version });
      case 'ping':
        return post({ type: 'pong', id: message.id });
      case 'lane':
        return lane.serve(message.port as unknown as MessagePort);
      case 'drain':
        return post({ type: 'drained', aborted: 0 });
    }
  });
  post({ type: 'ready', port: null });
}

function revisionsOf(snapshot: Snapshot): RevisionSpec[] {
  return snapshot.functions.flatMap(({ traffic }) => traffic.map(({ revision }) => revision));
}

/** A lane gets what the fronts leave. Linux has priorities per thread; elsewhere lanes compete as equals. */
function yieldToFronts(): void {
  if (process.platform !== 'linux') return;
  try {
    const threadId = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    setPriority(threadId, 10);
  } catch {
    // Not permitted here (a sandbox without /proc): a matter of speed, not of correctness.
  }
}
