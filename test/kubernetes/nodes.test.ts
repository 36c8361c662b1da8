/** Functions on real nodes: kubelet, containerd and WasmEdge, with the operator, images from a registry, and Services. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { KubeObject } from '../../src/kubernetes/cluster/objects.ts';
import { remainsOf } from '../pods/support/remains.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { eventually } from './support/kubectl.ts';
import type { ClusterNode } from './support/node.ts';
import { NodeCluster, nodeClusterParts, saying, untilNodeIs } from './support/node-cluster.ts';
import { needPart } from '../support/parts.ts';
import { followFunction, tellTimeline } from './support/node-timeline.ts';

const MANY = 20;

const GATEWAY_MANIFESTS = join(import.meta.dirname, '../../deploy/gateway-api');

function functionObject(name: string, image: string, spec: object = {}): KubeObject {
  return {
    apiVersion: 'mayfly.dev/v1alpha1',
    kind: 'Function',
    metadata: { name, namespace: 'default' },
    spec: { runtime: 'wasmedge', image, replicas: 2, ...spec },
  };
}

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number; readonly containerID?: string }[];
  };
}

const isReady = ({ status }: Pod) =>
  status.conditions?.some((item) => item.type === 'Ready' && item.status === 'True') === true;

async function podsOf({ kubectl }: NodeCluster, name: string): Promise<readonly Pod[]> {
  const list = await kubectl.run('get', 'pods', '-l', `mayfly.dev/function=${name}`, '-o', 'json');
  return (JSON.parse(list) as { items: Pod[] }).items;
}

/** Those that nobody has asked to go. */
function readyPods(cluster: NodeCluster, name: string, count: number): Promise<readonly Pod[]> {
  return eventually(`${count} pods of ${name} are ready`, async () => {
    const pods = (await podsOf(cluster, name)).filter(
      ({ metadata }) => metadata.deletionTimestamp === undefined,
    );
    return pods.length === count && pods.every(isReady) && pods;
  });
}

/** As an administrator: its own rights are its chart's business. */
async function startTraefik(node: ClusterNode, program: string, plane: ControlPlane): Promise<void> {
  const provider = 'providers.kubernetesgateway';
  await node.start('traefik', [program], {
    'global.checknewversion': false,
    'entrypoints.web.address': '127.0.0.1:8000',
    [provider]: true,
    [`${provider}.endpoint`]: `https://127.0.0.1:${plane.apiPort}`,
    [`${provider}.token`]: plane.adminToken,
    [`${provider}.certauthfilepath`]: join(plane.folder, 'pki', 'ca.crt'),
    'providers.providersthrottleduration': '100ms',
    'log.level': 'INFO',
  });
}

test('functions on real nodes', { timeout: 280_000 }, async (t) => {
  const parts = await nodeClusterParts(t);
  const traefik = await needPart(t, 'traefik');
  const gatewayApi = await needPart(t, 'gateway-api');
  if (parts === undefined || traefik === undefined || gatewayApi === undefined) return;
  const interfaces = Object.keys(networkInterfaces());
  const machines: string[] = [];
  {
    await using cluster = await NodeCluster.start(parts, 2);
    machines.push(...cluster.nodes.map(({ machine }) => machine.name));
    const [first, second] = cluster.nodes as [ClusterNode, ClusterNode];
    const { kubectl } = cluster;
    // The operator notices within a minute; its test comes late.
    await kubectl.run('apply', '--server-side', '-f', gatewayApi.paths.definitions);
    const [one, two] = [await cluster.push('one', saying('one')), await cluster.push('two', saying('two'))];
    const says = (text: string) =>
      eventually(
        `the Service says ${text}`,
        async () => (await cluster.askService('hello', '/')).body === text,
      );

    await t.test('a Function is pods of WasmEdge that answer through its Service', async () => {
      const object = functionObject('hello', one);
      const { timeline, answered } = await followFunction(cluster.plane.kubeconfig, first, object, '/');
      t.diagnostic(tellTimeline('wasmedge, from apply', timeline));
      assert.equal(answered.body, 'one');
      await readyPods(cluster, 'hello', 2);
      // The other node reaches them too, wherever they are.
      assert.equal((await cluster.askService('hello', '/', second)).body, 'one');
    });

    await t.test('another image replaces them, and the old one comes back', async () => {
      await kubectl.apply(functionObject('hello', two));
      await says('two');
      await eventually('the rollout has ended', async () => {
        const { out } = await kubectl.try(['get', 'functions']);
        return /hello +wasmedge +True +Answering +2 +2 /.test(out);
      });
      await kubectl.apply(functionObject('hello', one));
      await says('one');
      await readyPods(cluster, 'hello', 2);
    });

    await t.test(`2 pods become ${MANY}, on both nodes`, async () => {
      const begun = performance.now();
      await kubectl.run('scale', 'function/hello', `--replicas=${MANY}`);
      const pods = await readyPods(cluster, 'hello', MANY);
      t.diagnostic(`2 to ${MANY} pods: ${Math.round(performance.now() - begun)} ms`);
      assert.deepEqual([...new Set(pods.map(({ spec }) => spec.nodeName))].toSorted(), ['node-1', 'node-2']);
    });

    await t.test('a pod that is killed comes back, and nobody else notices', async () => {
      const pod = (await podsOf(cluster, 'hello')).find(({ spec }) => spec.nodeName === 'node-1') as Pod;
      const container = pod.status.containerStatuses?.[0]?.containerID?.replace(
        'containerd://',
        '',
      ) as string;
      const { info } = await first.machine.cri.call('ContainerStatus', {
        container_id: container,
        verbose: true,
      });
      const { pid } = JSON.parse(info?.['info'] ?? '{}') as { pid: number };
      await first.machine.namespaces.inside.kill(pid, 'SIGKILL');
      await eventually('the container was started again', async () => {
        const now = await kubectl.get<Pod>('pod', pod.metadata.name);
        return now !== null && now.status.containerStatuses?.[0]?.restartCount === 1 && isReady(now);
      });
      assert.equal((await cluster.askService('hello', '/')).body, 'one');
    });

    await t.test('a node that is lost: the other carries on, and takes its pods; it comes back', async () => {
      await kubectl.run('scale', 'function/hello', '--replicas=4');
      await readyPods(cluster, 'hello', 4);
      await second.killKubelet();
      await untilNodeIs(kubectl, 'node-2', 'Unknown');
      const pods = await readyPods(cluster, 'hello', 4);
      assert.ok(pods.every(({ spec }) => spec.nodeName === 'node-1'));
      for (let time = 0; time < 10; time += 1)
        assert.equal((await cluster.askService('hello', '/')).status, 200);
      await second.startKubelet();
      await untilNodeIs(kubectl, 'node-2', 'True');
      await eventually(
        'the pods that it had are gone',
        async () => (await podsOf(cluster, 'hello')).length === 4,
      );
    });

    await t.test('a route of the Gateway API leads to it, served by Traefik', async () => {
      const edge = { name: 'edge', namespace: 'mayfly-edge' };
      const routed = (image: string, parentRef: object = edge) =>
        functionObject('hello', image, {
          httpRoute: { parentRefs: [parentRef], hostnames: ['hello.shop.test'] },
        });
      for (const file of ['kong.yaml', 'traefik.yaml'])
        await kubectl.run('apply', '-f', join(GATEWAY_MANIFESTS, file));
      await startTraefik(first, traefik.paths.traefik, cluster.plane);
      const asked = async (host: string, path = '/') =>
        await first.ask({ host: '127.0.0.1', port: 8000, path, headers: { host } });
      const untilRouteSays = (text: string) =>
        eventually(
          `hello.shop.test says ${text}`,
          async () => (await asked('hello.shop.test').catch(() => null))?.body === text,
          90_000,
        );

      await kubectl.apply(routed(one));
      await untilRouteSays('one');
      assert.equal((await asked('other.shop.test')).status, 404);
      await kubectl.apply(routed(two));
      await untilRouteSays('two');

      await kubectl.apply(routed(two, { ...edge, sectionName: 'nowhere' }));
      await eventually('the Function says that its route is refused', async () => {
        const { out } = await kubectl.try(['get', 'function', 'hello', '-o', 'yaml']);
        return /Gateway edge does not take the route/.test(out);
      });
      await kubectl.apply(functionObject('hello', two));
      await eventually('there is no route', async () => (await kubectl.get('httproute', 'hello')) === null);
      await says('two');
      await eventually('Traefik knows it', async () => (await asked('hello.shop.test')).status === 404);
    });

    await t.test('a Function that is deleted leaves nothing behind', async () => {
      await kubectl.run('delete', 'function', 'hello');
      await eventually(
        'nothing of it is left',
        async () =>
          (await kubectl.get('deployment', 'hello')) === null &&
          (await kubectl.get('service', 'hello')) === null &&
          (await podsOf(cluster, 'hello')).length === 0,
        90_000,
      );
    });
  }
  await t.test('the machine is as it was', () => {
    for (const machine of machines) assert.deepEqual(remainsOf(machine), []);
    assert.deepEqual(Object.keys(networkInterfaces()), interfaces);
    assert.equal(existsSync('/var/lib/kubelet'), false);
  });
});
