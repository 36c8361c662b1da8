/** Objects in the cluster → their keepers → the API server. Decides nothing itself. */
import type { Logger } from '../../observability/log.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { keyOf, type KubeObject, type Resource } from '../cluster/objects.ts';
import {
  FUNCTIONS,
  GATEWAYS,
  HTTP_ROUTES,
  OWNED,
  OWNED_BY_GATEWAYS,
  PODS,
  POLICIES,
  RATE_LIMITS,
  resourceOf,
  SCALED_OBJECTS,
} from '../cluster/resources.ts';
import type { Action } from '../reconcile/actions.ts';
import { demandAddress as shippedDemandAddress, FIELD_MANAGER, LABELS } from '../resources/names.ts';
import type { EventRecorder } from './event-recorder.ts';
import { FunctionKeeper } from './function-keeper.ts';
import { type AskPod, GatewayKeeper } from './gateway-keeper.ts';
import { Informer } from './informer.ts';
import type { Change, Find, Keeper, Known } from './keeper.ts';
import type { OperatorMetrics } from './operator-metrics.ts';
import { PolicyBook, type RegoCompiler } from './policy-book.ts';
import { PolicyKeeper, RateLimitKeeper } from './setting-keeper.ts';
import { type AskCounts, RolloutWatch } from './rollout-watch.ts';
import { backoff, type Time } from './time.ts';
import { WorkQueue } from './work-queue.ts';

const WORKERS = 8;
/** How often it is looked whether kinds came or went. */
const KINDS_EVERY_MS = 60_000;
const KINDS_BACKOFF = { first: 100, most: 10_000 };

/** Kinds that a cluster may lack: those of KEDA and the Gateway API, and ours where the definitions are of an older Mayfly. */
const OF_GATEWAYS = [GATEWAYS, POLICIES, RATE_LIMITS];
const OPTIONAL = [SCALED_OBJECTS, HTTP_ROUTES, ...OF_GATEWAYS];

export interface ControllerOptions {
  readonly cluster: Cluster;
  readonly time: Time;
  readonly log: Logger;
  readonly metrics: OperatorMetrics;
  readonly events: EventRecorder;
  readonly rego: RegoCompiler;
  readonly askPod: AskPod;
  /** Default: no pod counts anything. */
  readonly askCounts?: AskCounts;
  /** Of pods whose gateway names none. */
  readonly gatewayImage: string;
  /** Where KEDA asks the operator: host:port. Default: as it is shipped. */
  readonly scalerAddress?: string;
  /** Where gateways tell the operator about requests. Default: as it is shipped. */
  readonly demandAddress?: string;
  /** Everything that there is has been listed. */
  onSynced(): void;
}

/** Until `signal`; work under way is finished. */
export async function runController(options: ControllerOptions, signal: AbortSignal): Promise<void> {
  const { time, log } = options;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const lacking = await lackingKinds(options);
      failures = 0;
      const changed = new AbortController();
      const session = new Session(options, lacking).run(AbortSignal.any([signal, changed.signal]));
      await untilOthersLack(lacking, options, signal);
      changed.abort();
      await session;
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'the API server does not say which kinds it has');
      await time.sleep(backoff(++failures, KINDS_BACKOFF), signal);
    }
  }
}

async function lackingKinds({ cluster }: ControllerOptions): Promise<Resource[]> {
  const lacking: Resource[] = [];
  for (const resource of OPTIONAL) if (!(await cluster.serves(resource))) lacking.push(resource);
  return lacking;
}

async function untilOthersLack(
  lacking: readonly Resource[],
  options: ControllerOptions,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await options.time.sleep(KINDS_EVERY_MS, signal);
    if (signal.aborted) return;
    // No answer is no change.
    const now = await lackingKinds(options).catch(() => lacking);
    if (now.length !== lacking.length || now.some((resource) => !lacking.includes(resource))) return;
  }
}

/** As long as the cluster has the same kinds. */
class Session implements Known {
  readonly #options: ControllerOptions;
  readonly #lacking: readonly Resource[];
  readonly #queue: WorkQueue;
  readonly #keepers: ReadonlyMap<string, Keeper>;
  readonly #informers: ReadonlyMap<string, Informer>;

  constructor(options: ControllerOptions, lacking: readonly Resource[]) {
    this.#options = options;
    this.#lacking = lacking;
    this.#queue = this.#workQueue();
    this.#keepers = new Map(this.#makeKeepers().map((keeper) => [keeper.resource.kind, keeper]));
    const mine = { [LABELS.managedBy]: FIELD_MANAGER };
    const made = this.#hasGateways ? [...OWNED, ...OWNED_BY_GATEWAYS, PODS] : OWNED;
    this.#informers = new Map([
      ...[...this.#keepers.values()].map(({ resource }) => this.#informer(resource, {})),
      ...[...new Set<Resource>(made)]
        .filter((resource) => this.serves(resource))
        .map((resource) => this.#informer(resource, mine)),
    ]);
  }

  async run(signal: AbortSignal): Promise<void> {
    const informers = [...this.#informers.values()];
    const running = informers.map((informer) => informer.run(signal));
    await Promise.race([Promise.all(informers.map(({ synced }) => synced)), ended(signal)]);
    if (!signal.aborted) {
      this.#options.onSynced();
      await this.#queue.run(signal);
    }
    await Promise.all(running);
  }

  get(kind: string, key: string): KubeObject | undefined {
    return this.#informers.get(kind)?.get(key);
  }

  all(kind: string, namespace: string): KubeObject[] {
    const objects = [...(this.#informers.get(kind)?.values() ?? [])];
    return objects.filter(({ metadata }) => metadata.namespace === namespace);
  }

  serves(resource: Resource): boolean {
    return !this.#lacking.includes(resource);
  }

  get #hasGateways(): boolean {
    return OF_GATEWAYS.every((resource) => this.serves(resource));
  }

  #makeKeepers(): Keeper[] {
    const {
      time,
      rego,
      askPod,
      gatewayImage,
      scalerAddress,
      askCounts = async () => null,
      demandAddress = shippedDemandAddress(),
    } = this.#options;
    const policies = new PolicyBook(rego);
    const onNews = (key: string) => this.#queue.add(`${FUNCTIONS.kind} ${key}`);
    const gateways = new GatewayKeeper({
      time,
      policies,
      ask: askPod,
      image: gatewayImage,
      demandAddress,
      onNews,
    });
    const functions = new FunctionKeeper(gateways, new RolloutWatch(askCounts), time, scalerAddress);
    return this.#hasGateways
      ? [functions, gateways, new PolicyKeeper(time, policies), new RateLimitKeeper(time)]
      : [functions];
  }

  #informer(resource: Resource, labels: Readonly<Record<string, string>>): [string, Informer] {
    const { cluster, time, log, metrics } = this.#options;
    const informer = new Informer({
      cluster,
      time,
      selection: { resource, labels },
      onChange: (change) => this.#changed(change),
      onFailure: (error) => {
        metrics.add('mayfly_operator_watch_failures', resource.kind);
        log.debug({ kind: resource.kind, error: (error as Error).message }, 'a watch ended');
      },
    });
    return [resource.kind, informer];
  }

  #changed(change: Change): void {
    for (const [kind, keeper] of this.#keepers) {
      for (const key of keeper.concerned(change, this)) this.#queue.add(`${kind} ${key}`);
    }
    this.#count();
  }

  #workQueue(): WorkQueue {
    const { time, log, metrics } = this.#options;
    return new WorkQueue({
      time,
      workers: WORKERS,
      work: async (item, signal) => {
        const begun = performance.now();
        await this.#reconcile(item, signal);
        metrics.add('mayfly_operator_reconciles', 'done');
        metrics.add('mayfly_operator_reconcile_seconds', '', (performance.now() - begun) / 1000);
        this.#count();
      },
      onFailure: (item, error, failures) => {
        metrics.add('mayfly_operator_reconciles', 'failed');
        log.warn({ object: item, failures, error: (error as Error).message }, 'a reconcile failed');
      },
    });
  }

  #count(): void {
    const { metrics } = this.#options;
    metrics.set('mayfly_operator_functions', this.#informers.get(FUNCTIONS.kind)?.size ?? 0);
    metrics.set('mayfly_operator_gateways', this.#informers.get(GATEWAYS.kind)?.size ?? 0);
    metrics.set('mayfly_operator_queue_length', this.#queue.size);
  }

  /** `item`: kind and key. */
  async #reconcile(item: string, signal: AbortSignal): Promise<void> {
    const [kind, key] = item.split(' ') as [string, string];
    const keeper = this.#keepers.get(kind) as Keeper;
    const before = this.get(kind, key);
    if (before === undefined) return keeper.forget?.(key);
    await keeper.prepare?.(before, this, signal);
    const object = this.get(kind, key);
    if (object === undefined || signal.aborted) return;
    const { namespace = '' } = object.metadata;
    const seen: Find = (of, name) => this.get(of, `${namespace}/${name}`);
    let actions = keeper.decide(object, seen, this);
    const strangers = await this.#unseen(actions, signal);
    if (strangers.size > 0) {
      const find: Find = (of, name) => seen(of, name) ?? strangers.get(`${of} ${namespace}/${name}`);
      actions = keeper.decide(object, find, this);
    }
    for (const action of actions) {
      if (signal.aborted) return;
      if (action.do === 'look-again') this.#queue.addLater(item, action.afterMs, signal);
      else await this.#act(action);
    }
  }

  /** Only what bears our label is watched. Before something is made, it is looked whether its name is free. */
  async #unseen(actions: readonly Action[], signal: AbortSignal): Promise<Map<string, KubeObject>> {
    const found = new Map<string, KubeObject>();
    for (const action of actions) {
      if (action.do !== 'apply' || signal.aborted) continue;
      const { kind, metadata } = action.object;
      if (this.get(kind, keyOf(action.object)) !== undefined) continue;
      const { name, namespace = 'default' } = metadata;
      const there = await this.#options.cluster.get(resourceOf(action.object), namespace, name);
      if (there !== null) found.set(`${kind} ${keyOf(there)}`, there);
    }
    return found;
  }

  async #act(action: Exclude<Action, { do: 'look-again' }>): Promise<void> {
    const { cluster, events, metrics } = this.#options;
    if (action.do === 'event') return await events.record(action.about, action.event);
    metrics.add('mayfly_operator_writes', action.do);
    if (action.do === 'delete') return await cluster.delete(action.object);
    const written = await this.#write(action);
    if (written !== null) this.#informers.get(written.kind)?.learn(written);
  }

  async #write(action: Extract<Action, { do: 'apply' | 'status' | 'annotate' }>): Promise<KubeObject | null> {
    const { cluster } = this.#options;
    if (action.do === 'apply') return await cluster.apply(action.object, action);
    if (action.do === 'status') return await cluster.applyStatus(action.object, action.status);
    return await cluster.annotate(action.object, action.annotations);
  }
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
