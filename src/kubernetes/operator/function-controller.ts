/** Functions in the cluster → reconcile → the API server. Decides nothing itself. */
import type { Logger } from '../../observability/log.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { KubeObject, Resource } from '../cluster/objects.ts';
import { FUNCTIONS, OWNED, resourceOf, SCALED_OBJECTS } from '../cluster/resources.ts';
import type { Action } from '../reconcile/actions.ts';
import { type ObservedFunction, reconcileFunction } from '../reconcile/reconcile-function.ts';
import { FIELD_MANAGER, LABELS } from '../resources/names.ts';
import type { EventRecorder } from './event-recorder.ts';
import { Informer } from './informer.ts';
import type { OperatorMetrics } from './operator-metrics.ts';
import { backoff, type Time } from './time.ts';
import { WorkQueue } from './work-queue.ts';

const WORKERS = 8;
/** How often it is looked whether KEDA came or went. */
const KINDS_EVERY_MS = 60_000;
const KINDS_BACKOFF = { first: 100, most: 10_000 };

export interface FunctionControllerOptions {
  readonly cluster: Cluster;
  readonly time: Time;
  readonly log: Logger;
  readonly metrics: OperatorMetrics;
  readonly events: EventRecorder;
  /** Everything that there is has been listed. */
  onSynced(): void;
}

/** Until `signal`; work under way is finished. */
export async function runFunctionController(
  options: FunctionControllerOptions,
  signal: AbortSignal,
): Promise<void> {
  const { cluster, time, log } = options;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const keda = await cluster.serves(SCALED_OBJECTS);
      failures = 0;
      const changed = new AbortController();
      const session = new Session(options, keda).run(AbortSignal.any([signal, changed.signal]));
      await untilKedaIs(!keda, options, signal);
      changed.abort();
      await session;
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'the API server does not say which kinds it has');
      await time.sleep(backoff(++failures, KINDS_BACKOFF), signal);
    }
  }
}

async function untilKedaIs(
  there: boolean,
  { cluster, time }: FunctionControllerOptions,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await time.sleep(KINDS_EVERY_MS, signal);
    if (signal.aborted) return;
    // No answer is no change.
    const now = await cluster.serves(SCALED_OBJECTS).catch(() => !there);
    if (now === there) return;
  }
}

/** As long as the cluster has the same kinds. */
class Session {
  readonly #options: FunctionControllerOptions;
  readonly #served: readonly Resource[];
  readonly #queue: WorkQueue;
  readonly #functions: Informer;
  readonly #owned: ReadonlyMap<string, Informer>;

  constructor(options: FunctionControllerOptions, keda: boolean) {
    this.#options = options;
    this.#served = OWNED.filter((resource) => resource !== SCALED_OBJECTS || keda);
    this.#queue = this.#workQueue();
    this.#functions = this.#informer(FUNCTIONS, {});
    const mine = { [LABELS.managedBy]: FIELD_MANAGER };
    this.#owned = new Map(this.#served.map((resource) => [resource.kind, this.#informer(resource, mine)]));
  }

  async run(signal: AbortSignal): Promise<void> {
    const informers = [this.#functions, ...this.#owned.values()];
    const running = informers.map((informer) => informer.run(signal));
    await Promise.race([Promise.all(informers.map(({ synced }) => synced)), ended(signal)]);
    if (!signal.aborted) {
      this.#options.onSynced();
      await this.#queue.run(signal);
    }
    await Promise.all(running);
  }

  #informer(resource: Resource, labels: Readonly<Record<string, string>>): Informer {
    const { cluster, time, log, metrics } = this.#options;
    return new Informer({
      cluster,
      time,
      selection: { resource, labels },
      onChange: (key) => {
        this.#queue.add(key);
        this.#count();
      },
      onFailure: (error) => {
        metrics.add('mayfly_operator_watch_failures', resource.kind);
        log.debug({ kind: resource.kind, error: (error as Error).message }, 'a watch ended');
      },
    });
  }

  #workQueue(): WorkQueue {
    const { time, log, metrics } = this.#options;
    return new WorkQueue({
      time,
      workers: WORKERS,
      work: async (key, signal) => {
        const begun = performance.now();
        await this.#reconcile(key, signal);
        metrics.add('mayfly_operator_reconciles', 'done');
        metrics.add('mayfly_operator_reconcile_seconds', '', (performance.now() - begun) / 1000);
        this.#count();
      },
      onFailure: (key, error, failures) => {
        metrics.add('mayfly_operator_reconciles', 'failed');
        log.warn({ function: key, failures, error: (error as Error).message }, 'a reconcile failed');
      },
    });
  }

  #count(): void {
    const { metrics } = this.#options;
    metrics.set('mayfly_operator_functions', this.#functions.size);
    metrics.set('mayfly_operator_queue_length', this.#queue.size);
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<void> {
    const object = this.#functions.get(key);
    if (object === undefined) return;
    const { time } = this.#options;
    const known = this.#observe(object, key);
    let actions = reconcileFunction(known, time.now());
    const strangers = await this.#unseen(actions, known, signal);
    if (Object.keys(strangers).length > 0) {
      const objects = { ...known.objects, ...strangers };
      actions = reconcileFunction({ ...known, objects }, time.now());
    }
    for (const action of actions) {
      if (signal.aborted) return;
      if (action.do === 'look-again') this.#queue.addLater(key, action.afterMs, signal);
      else await this.#act(action);
    }
  }

  #observe(object: KubeObject, key: string): ObservedFunction {
    const found = [...this.#owned].map(([kind, informer]) => [kind, informer.get(key)] as const);
    const objects = Object.fromEntries(found.filter(([, there]) => there !== undefined));
    return { function: object, objects, served: this.#served };
  }

  /** Only what bears our label is watched. Before something is made, it is looked whether its name is free. */
  async #unseen(
    actions: readonly Action[],
    { objects }: ObservedFunction,
    signal: AbortSignal,
  ): Promise<Record<string, KubeObject>> {
    const found: Record<string, KubeObject> = {};
    for (const action of actions) {
      if (action.do !== 'apply' || objects[action.object.kind] !== undefined || signal.aborted) continue;
      const { name, namespace = 'default' } = action.object.metadata;
      const there = await this.#options.cluster.get(resourceOf(action.object), namespace, name);
      if (there !== null) found[there.kind] = there;
    }
    return found;
  }

  async #act(action: Exclude<Action, { do: 'look-again' }>): Promise<void> {
    const { cluster, events, metrics } = this.#options;
    if (action.do === 'event') return await events.record(action.about, action.event);
    metrics.add('mayfly_operator_writes', action.do);
    if (action.do === 'apply') {
      this.#owned.get(action.object.kind)?.learn(await cluster.apply(action.object, action));
    } else if (action.do === 'status') {
      this.#functions.learn(await cluster.applyStatus(action.object, action.status));
    } else {
      await cluster.delete(action.object);
    }
  }
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
