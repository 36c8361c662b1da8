/** What /metrics shows beside the counters of the threads: gauges that are read when somebody asks. */
import { readConcurrency } from '../limits/concurrency.ts';
import type { RateLimiter } from '../limits/gcra.ts';
import { GAUGE, type SharedState } from '../model/shared.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { VERSION } from '../model/version.ts';
import { revisionId } from './records.ts';
import type { RolloutRecord } from './rollouts.ts';
import type { MetricReader } from '../observability/metric-slab.ts';
import { weightAt } from '../rollout/decide.ts';
import { type MetricFormat, renderMetrics, type Sample } from '../observability/open-metrics.ts';

/** How the rate limits are shared. */
export interface FleetReading {
  readonly connected: boolean;
  readonly members: number;
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly slowestMs: number;
}

export interface MetricsPageSources {
  readonly shared: SharedState;
  readonly reader: MetricReader;
  readonly limiter: RateLimiter;
  /** Threads of both roles. */
  readonly rows: number;
  snapshot(): Snapshot;
  readonly rollouts: {
    running(): readonly RolloutRecord[];
    readonly rollbacks: ReadonlyMap<string, number>;
  };
  /** Hash of the configuration in force. */
  configHash(): string;
  /** Null: this gateway is alone. */
  fleet(): FleetReading | null;
}

export function renderMetricsPage(sources: MetricsPageSources, format: MetricFormat): Generator<string> {
  const { reader } = sources;
  const { functions } = sources.snapshot();
  const named = functions.map(({ name, slot }) => ({ name, slot }));
  return renderMetrics({ reader, functions: named, samples: samplesOf(sources) }, format);
}

function samplesOf({
  shared,
  limiter,
  rows,
  snapshot,
  configHash,
  ...sources
}: MetricsPageSources): Sample[] {
  const { reader, rollouts } = sources;
  const samples: Sample[] = [];
  const add = (family: Sample['family'], value: number, labels: Sample['labels'] = {}) =>
    samples.push({ family, labels, value });
  const { functions, policies } = snapshot();
  for (const { name, slot, traffic } of functions) {
    for (const { revision, track, origin } of traffic) {
      const labels = { function: name, revision: revision.id, digest: origin };
      const counts = reader.revision(slot, track);
      add('revisionRequests', counts.requests, labels);
      add('revisionErrors', counts.errors, labels);
      add('revisionSlow', counts.slow, labels);
    }
    const { inFlight, waiting } = readConcurrency(shared.concurrency, slot);
    add('inFlight', inFlight, { function: name });
    add('waiting', waiting, { function: name });
  }
  const gauges = new Int32Array(shared.gauges);
  let instances = 0;
  for (let row = 0; row < rows; row++) instances += Atomics.load(gauges, GAUGE.instancesOf(row));
  for (const { function: name, candidate, plan, position } of rollouts.running()) {
    const revision = revisionId({ function: name, number: candidate });
    add('rolloutWeight', weightAt(plan, position), { function: name, revision });
  }
  for (const [name, count] of rollouts.rollbacks) add('rollbacks', count, { function: name });
  add('instances', instances);
  add('connectionsOpen', Atomics.load(gauges, GAUGE.connections));
  for (const { id, opaUrl, javascript } of policies) {
    const here = javascript === null ? 'wasm' : 'javascript';
    add('policies', 1, { policy: id, mode: opaUrl === null ? here : 'opa' });
  }
  const limits = limiter.stats();
  add('limitKeys', limits.keys);
  add('limitCapacity', limits.capacity);
  add('limitOverflowed', limits.overflowed);
  const fleet = sources.fleet();
  if (fleet !== null) {
    add('fleetMembers', fleet.members);
    add('fleetConnected', Number(fleet.connected));
    add('fleetSent', fleet.sent);
    add('fleetReceived', fleet.received);
    add('fleetLost', fleet.lost);
    add('fleetSlowest', fleet.slowestMs / 1000);
  }
  const { user, system } = process.cpuUsage();
  add('residentMemory', process.memoryUsage.rss());
  add('processCpu', (user + system) / 1e6);
  add('startTime', Date.now() / 1000 - process.uptime());
  add('config', 1, { hash: configHash() });
  add('build', 1, { version: VERSION, node: process.versions.node });
  return samples;
}
