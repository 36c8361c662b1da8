/**
 * The operator against a Kubernetes in memory: whatever people edit, whatever fails, in whatever order news arrive, it comes
 * to the state that a fresh operator would make, and then writes nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pino } from 'pino';
import { controllerOf, keyOf, type KubeObject } from '../../src/kubernetes/cluster/objects.ts';
import { OWNED, OWNED_BY_GATEWAYS } from '../../src/kubernetes/cluster/resources.ts';
import { operate, type OperateOptions } from '../../src/kubernetes/operator/operate.ts';
import { OperatorMetrics } from '../../src/kubernetes/operator/operator-metrics.ts';
import { reconcileFunction } from '../../src/kubernetes/reconcile/reconcile-function.ts';
import { FIELD_MANAGER, LABELS } from '../../src/kubernetes/resources/names.ts';
import { canaryName } from '../../src/kubernetes/rollout/canary-deployment.ts';
import type { Condition } from '../../src/kubernetes/resources/status.ts';
import { Random } from '../fuzz/random.ts';
import { MemoryCluster } from './support/memory-cluster.ts';
import { MemoryNode } from './support/memory-node.ts';
import { VirtualTime } from './support/virtual-time.ts';

const MADE = [...new Set([...OWNED, ...OWNED_BY_GATEWAYS])];
const MINUTE = 60_000;
const image = (digit: string) => `registry.example.com/shop/orders@sha256:${digit.repeat(64)}`;
const PROMETHEUS = { serverAddress: 'http://prometheus:9090', query: 'sum(rate(x[1m]))', threshold: 50 };

const WASMEDGE = { runtime: 'wasmedge', image: image('a') };
const ISOLATE = { runtime: 'isolate', gateway: 'shop', image: image('a') };
/** An empty module. */
const WASM = 'AGFzbQEAAAA=';

/** What people write, by kind. */
const SPECS: Readonly<Record<string, readonly object[]>> = {
  Function: [
    WASMEDGE,
    { ...WASMEDGE, image: image('b') },
    { ...WASMEDGE, replicas: 3, env: { GREETING: 'hello' } },
    { ...WASMEDGE, secretEnv: { KEY: { name: 'keys', key: 'k' } }, service: { type: 'LoadBalancer' } },
    { ...WASMEDGE, scaling: { minReplicas: 2 } },
    { ...WASMEDGE, scaling: { minReplicas: 0, prometheus: PROMETHEUS } },
    { ...WASMEDGE, cpuLimit: 'much' },
    ISOLATE,
    { ...ISOLATE, policy: 'customers', secretEnv: { KEY: { name: 'keys', key: 'k' } } },
    { ...ISOLATE, rateLimit: 'gentle', routes: [{ path: '/same' }] },
    { ...ISOLATE, image: undefined, source: { wasm: WASM }, env: { A: '${B}' } },
    { ...ISOLATE, gateway: 'elsewhere' },
    { ...ISOLATE, image: image('b') },
    { ...ISOLATE, routes: [{ path: 'bad' }] },
    { ...WASMEDGE, httpRoute: { parentRefs: [{ name: 'edge' }] } },
    { ...WASMEDGE, gateway: 'shop', scaling: { minReplicas: 0, idleAfter: '60s' } },
    {
      ...WASMEDGE,
      gateway: 'shop',
      policy: 'customers',
      routes: [{ path: '/same' }],
      rollout: { steps: [50] },
    },
    { ...WASMEDGE, gateway: 'elsewhere', holdTimeout: '5s' },
  ],
  MayflyGateway: [
    {},
    { replicas: 3, logging: { level: 'warn' } },
    { scaling: { minReplicas: 2 }, policy: { name: 'customers' } },
    { replicas: 0 },
    { httpRoute: { parentRefs: [{ name: 'edge' }], hostnames: ['*.example.com'] } },
    { security: { jwtSecret: { name: 'jwt', key: 'k' }, images: { keys: ['a key'] } } },
    { cpuRequest: 'much' },
  ],
  Policy: [
    { rego: 'package shop' },
    { rego: 'package shop\nallow := true', rule: 'data.shop.allow' },
    { rego: 'broken' },
    { rego: '' },
  ],
  RateLimit: [{}, { burstSize: 7 }, { key: ['nobody'] }],
};

/** Everything that people write. */
const WRITTEN = [
  { kind: 'Function', name: 'orders' },
  { kind: 'Function', name: 'stock' },
  { kind: 'MayflyGateway', name: 'shop' },
  { kind: 'Policy', name: 'customers' },
  { kind: 'RateLimit', name: 'gentle' },
] as const;
type Written = (typeof WRITTEN)[number];

/** What is made for them: kind and name. */
const MADE_FOR = [
  ...['orders', 'stock'].flatMap((name) => OWNED.map(({ kind }) => ({ kind, name }))),
  ...OWNED_BY_GATEWAYS.map(({ kind }) => ({ kind, name: 'shop' })),
  { kind: 'ConfigMap', name: 'shop-files-0' },
  { kind: 'ConfigMap', name: 'shop-files-5' },
];

type Edit = (object: Record<string, any>) => void;

/** What people do to objects that the operator made. */
const EDITS: readonly Edit[] = [
  ({ spec = {} }) => (spec.replicas = 77),
  ({ spec = {} }) => delete spec.template,
  ({ spec = {} }) => (spec.template = { spec: { containers: [{ name: 'function', image: 'evil' }] } }),
  ({ spec = {} }) => (spec.ports = [{ name: 'other', port: 99 }]),
  ({ spec = {} }) => (spec.extra = 'mine'),
  ({ metadata }) => (metadata.labels = {}),
  ({ metadata }) => (metadata.annotations = {}),
  ({ metadata }) => delete metadata.ownerReferences,
  (object) => (object['data'] = { 'mayfly.yaml': 'functions: {}' }),
];

interface Step {
  readonly do: (typeof DEEDS)[number];
  readonly written: Written;
  readonly made: (typeof MADE_FOR)[number];
  readonly choice: number;
}

const DEEDS = [
  'create',
  'respecify',
  'remove',
  'scale',
  'forge',
  'unforge',
  'edit',
  'remove-owned',
  'run-pods',
  'collect',
  'compact',
  'crash',
  'restart',
  'keda',
  'gateway-api',
  'pass',
] as const;

const steps = fc.array(
  fc.record<Step>({
    do: fc.constantFrom(
      ...DEEDS,
      'create',
      'respecify',
      'edit',
      'edit',
      'edit',
      'edit',
      'pass',
      'pass',
      'pass',
    ),
    written: fc.constantFrom(...WRITTEN),
    made: fc.constantFrom(...MADE_FOR),
    choice: fc.nat(100),
  }),
  { minLength: 20, maxLength: 60, size: 'max' },
);

/** A cluster with two operators, one of which leads. */
class World {
  readonly time = new VirtualTime();
  readonly cluster: MemoryCluster;
  readonly node: MemoryNode;
  readonly #random: Random;
  readonly #operators: { readonly end: AbortController; readonly ended: Promise<void>; kill(): void }[] = [];
  #born = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
    const chance = () => this.#random.below(1_000_000) / 1_000_000;
    this.cluster = new MemoryCluster(this.time, chance);
    this.node = new MemoryNode(this.cluster, chance);
  }

  startOperator(): void {
    const { client, kill } = this.cluster.mortalClient();
    const end = new AbortController();
    const lease = { namespace: 'mayfly', name: 'operator', identity: `operator-${++this.#born}` };
    const log = pino({ level: 'silent' });
    const options: OperateOptions = {
      cluster: client,
      time: this.time,
      log,
      metrics: new OperatorMetrics(),
      lease,
      rego: this.node.rego,
      askPod: async (pod) => await this.node.ask(pod),
      gatewayImage: 'mayfly:test',
    };
    this.#operators.push({ end, kill, ended: operate(options, end.signal) });
  }

  /** The oldest operator goes, asked or not, and another one comes. */
  replaceOperator(kind: 'crash' | 'restart'): void {
    const oldest = this.#operators.shift();
    if (kind === 'crash') oldest?.kill();
    oldest?.end.abort();
    this.startOperator();
  }

  /** The stock controllers: pods run, and what has lost its owner is collected. */
  runPods(): void {
    for (const deployment of this.cluster.all('Deployment')) {
      const { replicas = 0 } = (deployment['spec'] ?? {}) as { replicas?: number };
      const pods = {
        replicas,
        updatedReplicas: replicas,
        readyReplicas: replicas,
        availableReplicas: replicas,
      };
      this.cluster.setStatus(deployment, { observedGeneration: deployment.metadata.generation, ...pods });
    }
    this.node.runPods();
  }

  /** All faults end, and everybody does what is theirs to do. */
  async settle(): Promise<void> {
    Object.assign(this.cluster.weather, { failing: 0, breaking: 0, slowest: 0 });
    // The longest back-off first; then who follows whom has its turn.
    for (const minutes of [6, 1, 1]) {
      await this.time.pass(minutes * MINUTE);
      this.cluster.collectGarbage();
      this.runPods();
    }
    await this.time.pass(MINUTE);
  }

  async end(): Promise<void> {
    for (const { end } of this.#operators) end.abort();
    await this.time.pass(MINUTE);
    await Promise.all(this.#operators.map(({ ended }) => ended));
  }
}

function writtenObject({ kind, name }: Written, choice: number): KubeObject {
  const specs = SPECS[kind] as readonly object[];
  const spec = JSON.parse(JSON.stringify(specs[choice % specs.length])) as object;
  return { apiVersion: 'mayfly.dev/v1alpha1', kind, metadata: { name, namespace: 'shop' }, spec };
}

async function take(world: World, { do: deed, written, made, choice }: Step): Promise<void> {
  const { cluster, time } = world;
  const place = `shop/${written.name}`;
  const { kind, name } = made;
  const key = `shop/${name}`;
  switch (deed) {
    case 'create':
      if (cluster.find(written.kind, place) === undefined)
        cluster.create('person', writtenObject(written, choice));
      break;
    case 'respecify':
      cluster.edit(
        written.kind,
        place,
        (object) => (object['spec'] = writtenObject(written, choice)['spec']),
      );
      break;
    case 'scale':
      cluster.edit(written.kind, place, ({ spec }) => {
        if (!['Policy', 'RateLimit'].includes(written.kind))
          (spec as { replicas: number }).replicas = choice % 12;
      });
      break;
    case 'remove': {
      const object = cluster.find(written.kind, place);
      if (object !== undefined) cluster.remove(object);
      break;
    }
    case 'forge':
      if (cluster.find(kind, key) === undefined) cluster.create('person', stranger(name, kind));
      break;
    case 'unforge':
    case 'remove-owned': {
      const object = cluster.find(kind, key);
      if (object !== undefined && isStranger(object) === (deed === 'unforge')) cluster.remove(object);
      break;
    }
    case 'edit': {
      const object = cluster.find(kind, key);
      if (object !== undefined && !isStranger(object))
        cluster.edit(kind, key, EDITS[choice % EDITS.length] as Edit);
      break;
    }
    case 'run-pods':
      world.runPods();
      break;
    case 'collect':
      cluster.collectGarbage();
      break;
    case 'compact':
      cluster.compact();
      break;
    case 'crash':
    case 'restart':
      world.replaceOperator(deed);
      break;
    case 'keda':
      installOrRemove(cluster, 'ScaledObject');
      break;
    case 'gateway-api':
      installOrRemove(cluster, 'HTTPRoute');
      break;
    case 'pass':
      await time.pass([1, 30, 500, 5_000, 30_000][choice % 5] as number);
      break;
  }
}

/** What defines a kind; with it go all objects of the kind. */
function installOrRemove(cluster: MemoryCluster, kind: string): void {
  if (cluster.missing.delete(kind)) return;
  cluster.missing.add(kind);
  for (const object of cluster.all(kind)) cluster.remove(object);
}

/** An object that has the name of a function's and is somebody else's. */
function stranger(name: string, kind: string): KubeObject {
  const { apiVersion } = MADE.find((resource) => resource.kind === kind) as { apiVersion: string };
  const labels = { [LABELS.name]: 'strange' };
  return { apiVersion, kind, metadata: { name, namespace: 'shop', labels }, spec: { of: 'a stranger' } };
}

/** Made by somebody else, or taken away from the operator: neither owner nor label says that it is the operator's. */
function isStranger(object: KubeObject): boolean {
  return controllerOf(object) === undefined && !isLabelled(object);
}

function isLabelled({ metadata }: KubeObject): boolean {
  return metadata.labels?.[LABELS.managedBy] === FIELD_MANAGER;
}

/** With one of these, the operator leaves what it made before as it is. */
const OBSTACLES = new Set(['InvalidSpec', 'NameTaken', 'KedaMissing', 'GatewayApiMissing']);

const KINDS = [...new Set(WRITTEN.map(({ kind }) => kind))];

interface Said {
  readonly conditions?: readonly Condition[];
  readonly rollout?: object;
}

/** What the operator has a say in, without times: its fields of its objects, and what it says of what people wrote. */
function outcome(cluster: MemoryCluster): object {
  const stopped = new Set<string>();
  const written = KINDS.flatMap((kind) => cluster.all(kind)).map((object) => {
    const { conditions = [], rollout, ...rest } = (object['status'] ?? {}) as Said;
    const halted = conditions.some(({ reason }) => OBSTACLES.has(reason));
    const inHalted = isInHaltedGateway(object, cluster);
    const stays = halted || keepsItsPods(object, conditions) || (inHalted && isRunByGateway(object));
    if (stays) stopped.add(`${object.kind} ${keyOf(object)}`);
    const said = conditions.map((item) => ({ ...item, lastTransitionTime: '' }));
    if (inHalted) return [object.kind, object.metadata.name];
    // Which image held its objective before something came in the way is kept for when it is gone.
    const isDegraded = conditions.some(({ type, status }) => type === 'Degraded' && status === 'True');
    const numbers = isDegraded ? rest : { ...rest, rollout };
    return [object.kind, object.metadata.name, halted ? null : numbers, said];
  });
  const objects = MADE.filter(({ kind }) => !cluster.missing.has(kind))
    .flatMap(({ kind }) => cluster.all(kind))
    // One that lost its label just when it was not wanted any more stays, unseen, as long as its owner.
    .filter((object) => isLabelled(object) && isWanted(object, cluster, stopped))
    .map((object) => [object.kind, keyOf(object), cluster.fieldsOf(object, FIELD_MANAGER)]);
  return { written: written.toSorted(), objects: objects.toSorted() };
}

/** A gateway that stands still has the pods from before, if there were any, and they answer for its Functions or not. */
function isInHaltedGateway({ kind, spec }: KubeObject, cluster: MemoryCluster): boolean {
  if (kind !== 'Function' || (spec as { gateway?: string }).gateway === undefined) return false;
  const { conditions = [] } = (cluster.find('MayflyGateway', 'shop/shop')?.['status'] ?? {}) as {
    conditions?: Condition[];
  };
  return conditions.some(({ reason }) => OBSTACLES.has(reason));
}

function isRunByGateway({ spec }: KubeObject): boolean {
  return (spec as { runtime?: string }).runtime === 'isolate';
}

/** One that moved into a gateway has what it had before until it is served there. */
function keepsItsPods(object: KubeObject, conditions: readonly Condition[]): boolean {
  return (
    isRunByGateway(object) && !conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
  );
}

/** Of somebody who is there and not halted: one that lost its owner and then its function is nobody's any more. */
function isWanted(object: KubeObject, cluster: MemoryCluster, stopped: ReadonlySet<string>): boolean {
  const { name } = object.metadata;
  const owner = name.startsWith('shop') ? 'MayflyGateway shop/shop' : `Function ${keyOf(object)}`;
  const [kind, key] = owner.split(' ') as [string, string];
  return cluster.find(kind, key) !== undefined && !stopped.has(owner);
}

/** The same functions and strangers in a cluster where nothing ever happened. */
async function freshFrom(old: MemoryCluster, seed: number): Promise<World> {
  const fresh = new World(seed);
  for (const kind of old.missing) fresh.cluster.missing.add(kind);
  for (const object of KINDS.flatMap((kind) => old.all(kind)))
    fresh.cluster.restore({ ...object, status: undefined });
  for (const object of MADE.flatMap(({ kind }) => old.all(kind)).filter(isStranger))
    fresh.cluster.restore(object);
  fresh.startOperator();
  await fresh.settle();
  return fresh;
}

async function check(seed: number, deeds: readonly Step[]): Promise<void> {
  const world = new World(seed);
  const { cluster, time } = world;
  let trespasses = 0;
  cluster.onApply = ({ spec }) => {
    if ((spec as { of?: string } | undefined)?.of === 'a stranger') trespasses++;
  };
  Object.assign(cluster.weather, { failing: 0.15, breaking: 0.1, slowest: 400 });
  world.startOperator();
  world.startOperator();
  for (const [index, written] of WRITTEN.entries())
    cluster.create('person', writtenObject(written, seed + index));
  for (const deed of deeds) await take(world, deed);
  await world.settle();

  assert.equal(trespasses, 0, 'objects of others are left alone');
  const before = cluster.writes;
  await time.pass(3 * MINUTE);
  assert.equal(cluster.writes - before, 0, 'a steady state is not written to');
  for (const object of cluster.all('Function')) {
    const served = OWNED.filter(({ kind }) => !cluster.missing.has(kind));
    const there = served.map(({ kind }) => [kind, cluster.find(kind, keyOf(object))] as const);
    // One that lost its label when it was not wanted any more is seen by nobody.
    const seen = there.filter(([, found]) => found !== undefined && (isStranger(found) || isLabelled(found)));
    const objects = Object.fromEntries(seen);
    const canary = cluster.find('Deployment', canaryName(keyOf(object)));
    const todo = reconcileFunction({ function: object, objects, canary, served }, time.now());
    // What its gateway has to say of it is not known here.
    const { gateway } = object['spec'] as { gateway?: string };
    const unknown = gateway === undefined ? ['look-again'] : ['look-again', 'status', 'event'];
    assert.deepEqual(
      todo.filter((action) => !unknown.includes(action.do)),
      [],
    );
  }
  const fresh = await freshFrom(cluster, seed);
  assert.deepEqual(outcome(cluster), outcome(fresh.cluster), 'as a fresh reconcile makes it');
  await fresh.end();
  await world.end();
}

const RUNS = Number(process.env['MAYFLY_FUZZ_RUNS'] ?? 40);

test('the operator converges to what a fresh one makes, and then rests', { timeout: 280_000 }, async () => {
  await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 1_000_000 }), steps, check), {
    numRuns: RUNS,
    endOnFailure: true,
  });
});

test('with the definitions of an older Mayfly functions have their pods, and gateways begin when they can', async () => {
  const world = new World(1);
  const { cluster, time } = world;
  for (const kind of ['MayflyGateway', 'Policy', 'RateLimit']) cluster.missing.add(kind);
  for (const [index, choice] of [0, 7].entries())
    cluster.create('person', writtenObject(WRITTEN[index] as Written, choice));
  world.startOperator();
  await time.pass(MINUTE);
  assert.ok(cluster.find('Deployment', 'shop/orders') !== undefined);
  const reason = () => {
    const { conditions = [] } = (cluster.find('Function', 'shop/stock')?.['status'] ?? {}) as {
      conditions?: Condition[];
    };
    return conditions.find(({ type }) => type === 'Ready')?.reason;
  };
  assert.equal(reason(), 'GatewayMissing');
  cluster.missing.clear();
  cluster.create('person', writtenObject({ kind: 'MayflyGateway', name: 'shop' }, 0));
  await world.settle();
  assert.equal(reason(), 'Answering');
  await world.end();
});
