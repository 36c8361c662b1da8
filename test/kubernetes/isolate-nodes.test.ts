/** The platform from its own image on a real node: operators and gateways are pods, and functions run within the gateways. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makePlatformImage } from '../../scripts/platform-image/assemble.ts';
import type { KubeObject } from '../../src/kubernetes/cluster/objects.ts';
import { answering } from '../support/answering.ts';
import { needPart } from '../support/parts.ts';
import { eventually, type Kubectl } from './support/kubectl.ts';
import type { ClusterNode } from './support/node.ts';
import { NodeCluster, nodeClusterParts, PLATFORM_IMAGE, saying } from './support/node-cluster.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Of the small load. */
const CLIENTS = 4;

interface Pod extends KubeObject {
  readonly status: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly {
      readonly restartCount: number;
      readonly containerID: string;
      readonly lastState?: object;
    }[];
  };
}

const object = (kind: string, name: string, spec: object): KubeObject => ({
  apiVersion: 'mayfly.dev/v1alpha1',
  kind,
  metadata: { name, namespace: 'default' },
  spec,
});

const PASSWORD = 'of the store of these tests';
const STORE_PORT = 6379;

const gateway = (replicas: number, { address, registry }: ClusterNode) =>
  object('MayflyGateway', 'shop', {
    replicas,
    cpuRequest: '20m',
    memoryRequest: '64Mi',
    server: { threads: 1 },
    security: { images: { plainHttp: [registry] } },
    rateLimit: { requestsPerSecond: 1_000_000, burstSize: 1_000_000, key: ['function'] },
    fleet: { store: `valkey://${address}:${STORE_PORT}`, passwordSecret: { name: 'store', key: 'value' } },
  });

const hello = async (text: string, more: object = {}) =>
  object('Function', 'hello', {
    runtime: 'isolate',
    gateway: 'shop',
    source: { wasm: Buffer.from(await answering(text)).toString('base64') },
    ...more,
  });

const secret = (name: string, value: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'default' },
  stringData: { value },
});

/** A function that says what its variable holds. */
const TELLS = {
  'mayfly.yaml': 'functions: { tells: { source: ./function.ts, env: { WORD: none } } }',
  'function.ts': `import { config, Request, Response } from "mayfly";
export function handle(request: Request): Response {
  const word = config.get("WORD");
  return new Response(word === null ? "nothing" : word);
}
`,
};

const isReady = ({ metadata, status }: Pod) =>
  metadata.deletionTimestamp === undefined &&
  status.conditions?.some((item) => item.type === 'Ready' && item.status === 'True') === true;

async function podsOf(kubectl: Kubectl, selector: string, namespace = 'default'): Promise<readonly Pod[]> {
  const list = await kubectl.run('get', 'pods', '-n', namespace, '-l', selector, '-o', 'json');
  return (JSON.parse(list) as { items: Pod[] }).items;
}

const gatewayPods = (kubectl: Kubectl, count: number) =>
  eventually(`${count} pods of the gateway are ready`, async () => {
    const pods = await podsOf(kubectl, 'mayfly.dev/gateway=shop');
    return pods.length === count && pods.every(isReady) && pods;
  });

/** Who they are and how often they were started: the same, when nothing made them start again. */
const lives = (pods: readonly Pod[]) =>
  pods
    .map(({ metadata, status }) => {
      const { restartCount, lastState } = status.containerStatuses?.[0] ?? {};
      return `${metadata.uid} ${restartCount} ${JSON.stringify(lastState)}`;
    })
    .toSorted();

/** From now until every pod says it, by asking them, milliseconds. */
async function untilAllSay(node: ClusterNode, pods: readonly Pod[], is: (said: string) => boolean) {
  const begun = performance.now();
  await Promise.all(
    pods.map(async ({ status }) => {
      const asked = { host: status.podIP as string, port: 8080, path: '/hello' };
      for (;;) {
        const { status: code, body } = await node.ask(asked);
        if (is(`${code} ${body}`)) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (performance.now() - begun > 90_000) throw new Error(`a gateway still says ${code} ${body}`);
      }
    }),
  );
  return Math.round(performance.now() - begun);
}

test('the platform on a real node', { timeout: 400_000 }, async (t) => {
  const parts = await nodeClusterParts(t);
  const libraries = await needPart(t, 'node-libraries');
  const valkey = await needPart(t, 'valkey');
  if (parts === undefined || libraries === undefined || valkey === undefined) return;
  const image = makePlatformImage(ROOT, libraries);
  t.diagnostic(
    `image: ${image.layers.map(({ name, bytes }) => `${name} ${Math.round(bytes / 1e5) / 10} MB`)}`,
  );
  await using cluster = await NodeCluster.start(parts, 1, image);
  const [node] = cluster.nodes as [ClusterNode];
  const options = [
    '--bind',
    node.address,
    '--port',
    `${STORE_PORT}`,
    '--save',
    '',
    '--requirepass',
    PASSWORD,
  ];
  await node.start('valkey', [valkey.paths.valkey, ...options], {});
  await platform(t, cluster);
});

async function platform(t: TestContext, cluster: NodeCluster): Promise<void> {
  const { kubectl } = cluster;
  const [node] = cluster.nodes as [ClusterNode];
  let address: string | undefined;
  /** The image of that function. */
  let tells = '';
  const says = async (path = '/hello') => {
    address ??= await cluster.addressOf('shop');
    const { status, body } = await node.ask({ host: address, port: 80, path });
    return `${status} ${body}`;
  };
  const timed = async (what: string, change: () => Promise<unknown>, is: (said: string) => boolean) => {
    const pods = await gatewayPods(kubectl, 2);
    const before = lives(pods);
    await change();
    const took = await untilAllSay(node, pods, is);
    t.diagnostic(`${what}: all gateways ${took} ms after kubectl apply came back`);
    assert.deepEqual(lives(await gatewayPods(kubectl, 2)), before);
  };

  const load = async (during: () => Promise<unknown>, path = '/hello') => {
    const service = await kubectl.get<{ spec: { clusterIP: string } }>('service', 'shop');
    await node.machine.namespaces.inside.startLoad(
      { host: service?.spec.clusterIP as string, port: 80, path },
      CLIENTS,
    );
    await during();
    return await node.machine.namespaces.inside.stopLoad();
  };

  await t.test('mayfly cluster install: two operators as pods, of which one leads', async () => {
    const pods = await eventually('both operators are ready', async () => {
      const found = await podsOf(kubectl, 'app.kubernetes.io/name=mayfly-operator', 'mayfly-system');
      return found.length === 2 && found.every(isReady) && found;
    });
    const holder = await eventually('one of them has the lease', async () => {
      const lease = await kubectl.get<{ spec: { holderIdentity?: string } }>(
        'lease',
        'mayfly-operator',
        'mayfly-system',
      );
      return lease?.spec.holderIdentity;
    });
    assert.ok(
      pods.some(({ metadata }) => holder.startsWith(`${metadata.name}_`)),
      holder,
    );
  });

  await t.test(
    'a gateway comes up as pods of the same image, and a function answers through its Service',
    async () => {
      tells = await cluster.push('tells', TELLS, node.registry);
      const teller = object('Function', 'tells', {
        runtime: 'isolate',
        gateway: 'shop',
        image: tells,
        secretEnv: { WORD: { name: 'tellers', key: 'value' } },
      });
      await kubectl.apply(secret('store', PASSWORD), secret('tellers', 'first'));
      const begun = performance.now();
      await kubectl.apply(gateway(2, node), await hello('one'), teller);
      const answered = await eventually('the Service answers', async () => {
        const said = await says().catch(() => '');
        return said === '200 one' && performance.now() - begun;
      });
      t.diagnostic(`isolate: gateway and Function applied → first answer ${Math.round(answered)} ms`);
      const [pod] = await gatewayPods(kubectl, 2);
      const { containers } = (pod as Pod)['spec'] as { containers: readonly { image: string }[] };
      assert.equal(containers[0]?.image, PLATFORM_IMAGE);
    },
  );

  await t.test('its pods share a limit through the store, with the password from a Secret', async () => {
    const pods = await gatewayPods(kubectl, 2);
    for (const { status } of pods)
      await eventually('a pod counts two gateways', async () => {
        const { body } = await node.ask({ host: status.podIP as string, port: 9090, path: '/metrics' });
        return /^mayfly_fleet_members 2$/m.test(body);
      });
    const few = object('RateLimit', 'few', { requestsPerSecond: 0.01, burstSize: 10, key: ['function'] });
    const limited = await hello('limited', { rateLimit: 'few' });
    await kubectl.apply(few, { ...limited, metadata: { ...limited.metadata, name: 'limited' } });
    await kubectl.run('wait', '--for=condition=Ready', 'function/limited', '--timeout=60s');
    const statuses: number[] = [];
    for (let round = 0; round < 20; round++)
      for (const { status } of pods)
        statuses.push(
          (await node.ask({ host: status.podIP as string, port: 8080, path: '/limited' })).status,
        );
    const passed = statuses.filter((status) => status === 200).length;
    t.diagnostic(`a limit of 10, 20 requests to each of two gateways: ${passed} passed`);
    assert.ok(statuses.every((status) => status === 200 || status === 429));
    // Alone, each would let 10 pass.
    assert.ok(passed >= 2 && passed <= 11, `${passed} of 40`);
  });

  await t.test('another Function of a gateway that runs is there at once', async () => {
    const other = await hello('other');
    const begun = performance.now();
    await kubectl.apply({ ...other, metadata: { ...other.metadata, name: 'other' } });
    const applied = performance.now() - begun;
    const answered = await eventually('the Service answers', async () => {
      return (await says('/other')) === '200 other' && performance.now() - begun;
    });
    t.diagnostic(
      `isolate, gateway there: kubectl apply ${Math.round(applied)} ms, first answer ${Math.round(answered)} ms`,
    );
  });

  await t.test('new code, a Policy and its rules reach the pods that run', async () => {
    await timed(
      'new code',
      async () => kubectl.apply(await hello('two')),
      (said) => said === '200 two',
    );
    const policy = (allow: boolean) =>
      object('Policy', 'doors', {
        rule: 'data.doors.allow',
        rego: `package doors\n\ndefault allow := ${allow}\n`,
      });
    await timed(
      'a Policy',
      async () => kubectl.apply(policy(false), await hello('two', { policy: 'doors' })),
      (said) => said.startsWith('403'),
    );
    await timed(
      'other rules',
      () => kubectl.apply(policy(true)),
      (said) => said === '200 two',
    );
  });

  await t.test('another value in a Secret reaches the pods that run', async () => {
    const pods = await gatewayPods(kubectl, 2);
    assert.equal(await says('/tells'), '200 first');
    await kubectl.apply(secret('tellers', 'second'));
    // Nodes look within a minute or so, and at once when a pod changes.
    await kubectl.run('annotate', 'pods', '-l', 'mayfly.dev/gateway=shop', 'example.com/look=now');
    for (const { status } of pods)
      await eventually('a pod tells the new one', async () => {
        const { body } = await node.ask({ host: status.podIP as string, port: 8080, path: '/tells' });
        return body === 'second';
      });
    assert.deepEqual(lives(await gatewayPods(kubectl, 2)), lives(pods));
  });

  await t.test('a Function in pods of WasmEdge is served by it, from none to one and back', async () => {
    const image = await cluster.push('pricing', saying('in a pod', '/pricing'));
    const begun = performance.now();
    await kubectl.apply(
      object('Function', 'pricing', {
        runtime: 'wasmedge',
        image,
        gateway: 'shop',
        replicas: 0,
        scaling: { minReplicas: 0, maxReplicas: 3, idleAfter: '5s' },
      }),
    );
    await eventually('the gateways know it', async () => (await says('/pricing')) === '200 in a pod');
    t.diagnostic(
      `wasmedge behind the gateway: first answer ${Math.round(performance.now() - begun)} ms after kubectl apply`,
    );
    await eventually('nobody asks: no pod is left', async () => {
      const deployment = await kubectl.get<{ spec: { replicas: number } }>('deployment', 'pricing');
      return (
        deployment?.spec.replicas === 0 && (await podsOf(kubectl, 'mayfly.dev/function=pricing')).length === 0
      );
    });
    const asked = performance.now();
    assert.equal(await says('/pricing'), '200 in a pod');
    t.diagnostic(
      `from none: a request was held and answered after ${Math.round(performance.now() - asked)} ms`,
    );
  });

  await t.test(
    'a new image comes in steps while it is asked, and a bad one goes back by itself',
    async () => {
      const [better, bad] = await Promise.all([
        cluster.push('better', saying('two'), node.registry),
        cluster.push('bad', saying('sorry', '/', 500), node.registry),
      ]);
      const rollout = { steps: [20], interval: '2s', minRequests: 50 };
      const apply = (image: string | undefined) =>
        kubectl.apply(object('Function', 'steps', { runtime: 'isolate', gateway: 'shop', image, rollout }));
      interface Rolled {
        readonly status?: { readonly rollout?: { readonly phase: string; readonly stable: string } };
      }
      const until = (phase: string, stable: string | undefined) =>
        eventually(`the rollout is ${phase}`, async () => {
          const found = (await kubectl.get<Rolled>('function', 'steps'))?.status?.rollout;
          return found?.phase === phase && found.stable === stable;
        });
      /** A share would show in so many. */
      const allSay = (expected: string) =>
        eventually(`all say ${expected}`, async () => {
          for (let count = 0; count < 30; count++) if ((await says('/steps')) !== expected) return false;
          return true;
        });
      await apply(tells);
      await until('Stable', tells);
      await allSay('200 nothing');
      const begun = performance.now();
      const forth = await load(async () => {
        await apply(better);
        await until('Stable', better);
        await allSay('200 two');
      }, '/steps');
      t.diagnostic(
        `a better image: all requests after ${Math.round(performance.now() - begun)} ms, ${JSON.stringify(forth)}`,
      );
      assert.deepEqual(Object.keys(forth), ['200']);
      const back = await load(async () => {
        await apply(bad);
        await until('RolledBack', better);
        await allSay('200 two');
      }, '/steps');
      t.diagnostic(`a bad image goes back by itself: ${JSON.stringify(back)}`);
      // One of five, until the operator has seen enough of it.
      const { 200: answered = 0, '500 sorry': failed = 0, ...others } = back;
      assert.deepEqual(others, {});
      assert.ok(failed > 0 && failed < answered / 2, JSON.stringify(back));
      assert.match(await kubectl.run('describe', 'function', 'steps'), /RolledBack.*requests failed/);
      await kubectl.run('delete', 'function', 'steps');
    },
  );

  await t.test('more gateways and fewer again, under load: no request is lost', async () => {
    const outcomes = await load(async () => {
      await kubectl.run('scale', 'mgw/shop', '--replicas=3');
      await gatewayPods(kubectl, 3);
      await kubectl.run('scale', 'mgw/shop', '--replicas=1');
      await gatewayPods(kubectl, 1);
    });
    t.diagnostic(`2 → 3 → 1 gateways: ${JSON.stringify(outcomes)}`);
    assert.deepEqual(Object.keys(outcomes), ['200']);
  });

  await t.test('a gateway that is killed takes along what was in flight on it, and comes back', async () => {
    await kubectl.run('scale', 'mgw/shop', '--replicas=2');
    const [pod] = (await gatewayPods(kubectl, 2)) as readonly [Pod, Pod];
    const outcomes = await load(async () => {
      await killContainer(node, pod);
      await eventually('its container was started again', async () => {
        const now = await kubectl.get<Pod>('pod', pod.metadata.name);
        return now !== null && now.status.containerStatuses?.[0]?.restartCount === 1 && isReady(now);
      });
    });
    t.diagnostic(`one of two gateways killed: ${JSON.stringify(outcomes)}`);
    // A connection that is refused was never a request; kube-proxy hands them out until the kubelet has noticed.
    const { 200: answered = 0, ECONNREFUSED: _notSent, ...cut } = outcomes;
    assert.ok(answered > 0);
    assert.ok(Object.values(cut).reduce((sum, count) => sum + count, 0) <= CLIENTS, JSON.stringify(cut));
  });

  await t.test('a gateway that is deleted leaves nothing behind', async () => {
    await kubectl.run('delete', 'functions,mgw,policies', '--all');
    await eventually('nothing of it is left', async () => {
      const left = await kubectl.run('get', 'deployments,services,configmaps,pods', '-o', 'name');
      return !/shop/.test(left);
    });
  });
}

async function killContainer({ machine }: ClusterNode, pod: Pod): Promise<void> {
  const id = pod.status.containerStatuses?.[0]?.containerID.replace('containerd://', '') as string;
  const { info } = await machine.cri.call('ContainerStatus', { container_id: id, verbose: true });
  const { pid } = JSON.parse(info?.['info'] ?? '{}') as { pid: number };
  await machine.namespaces.inside.kill(pid, 'SIGKILL');
}
