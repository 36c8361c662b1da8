/** A cluster with real nodes: control plane, registry, nodes, and the operator as a process of its own. */
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { FoundPart } from '../../../scripts/parts/part.ts';
import type { Answered } from '../../pods/support/agent.ts';
import { nodeObstacle } from '../../pods/support/node.ts';
import type { PlatformImage } from '../../../scripts/platform-image/assemble.ts';
import { importContent } from '../../pods/support/images.ts';
import { mayfly, mayflyJson } from '../../support/cli.ts';
import { makeTestFolder } from '../../support/folder.ts';
import { missingPart, needPart } from '../../support/parts.ts';
import { type RealRegistry, startRealRegistry } from '../../support/real-registry.ts';
import { ControlPlane, type ControlPlaneParts } from './control-plane.ts';
import { eventually, Kubectl } from './kubectl.ts';
import { startOperator } from './operator.ts';
import { ClusterNode, type ClusterNodeParts, REGISTRY } from './node.ts';

const MANIFESTS = join(import.meta.dirname, '../../../deploy/kubernetes');
/** As nodes know the image of the platform. */
export const PLATFORM_IMAGE = `${REGISTRY}/mayfly:0.1.0`;
const NAMES = ['node-1', 'node-2'];

/** The files of a function that says `text`, with a status. */
export const saying = (text: string, path = '/', status = 200) => ({
  'mayfly.yaml': `functions: { hello: { source: ./function.ts, routes: [{ path: ${path} }] } }`,
  'function.ts': `import { Request, Response } from "mayfly";
export function handle(request: Request): Response {
  return new Response("${text}", { status: ${status} });
}
`,
});

export interface NodeClusterParts extends ControlPlaneParts, ClusterNodeParts {
  readonly kubectl: FoundPart<'kubectl'>;
  readonly registry: FoundPart<'registry'>;
}

export async function nodeClusterParts(t: TestContext): Promise<NodeClusterParts | undefined> {
  const obstacle = nodeObstacle();
  if (obstacle !== undefined) {
    missingPart(t, obstacle);
    return undefined;
  }
  const kube = await needPart(t, 'kube');
  const etcd = await needPart(t, 'etcd');
  const kubectl = await needPart(t, 'kubectl');
  const registry = await needPart(t, 'registry');
  const containers = await needPart(t, 'containers');
  const pause = await needPart(t, 'pause');
  const shim = await needPart(t, 'shim');
  const coredns = await needPart(t, 'coredns');
  if (kube === undefined || etcd === undefined || kubectl === undefined || registry === undefined) return;
  if (containers === undefined || pause === undefined || shim === undefined || coredns === undefined) return;
  return { kube, etcd, kubectl, registry, containers, pause, shim, coredns };
}

export class NodeCluster implements AsyncDisposable {
  readonly plane: ControlPlane;
  readonly kubectl: Kubectl;
  readonly registry: RealRegistry;
  readonly nodes: readonly ClusterNode[];
  readonly #stack: AsyncDisposableStack;

  private constructor(
    stack: AsyncDisposableStack,
    running: Pick<NodeCluster, 'plane' | 'kubectl' | 'registry' | 'nodes'>,
  ) {
    this.#stack = stack;
    this.plane = running.plane;
    this.kubectl = running.kubectl;
    this.registry = running.registry;
    this.nodes = running.nodes;
  }

  /** `image`: what `mayfly cluster install` runs the operator from; without it it is a process of this machine. */
  static async start(
    parts: NodeClusterParts,
    count: 1 | 2,
    image: PlatformImage | null = null,
  ): Promise<NodeCluster> {
    await using stack = new AsyncDisposableStack();
    const registry = stack.use(await startRealRegistry(parts.registry.paths.registry));
    const names = NAMES.slice(0, count);
    const plane = stack.use(
      await ControlPlane.start(parts, {
        nodes: names,
        // What a node is given before it counts as lost, and then before its pods are replaced: minutes in real clusters.
        apiServer: { 'default-not-ready-toleration-seconds': 2, 'default-unreachable-toleration-seconds': 2 },
        controllers: { 'node-monitor-grace-period': '10s', 'node-monitor-period': '1s' },
      }),
    );
    await plane.startControllers();
    await plane.startScheduler();
    const registryPort = Number(registry.host.split(':')[1]);
    const nodes: ClusterNode[] = [];
    for (const [index, name] of names.entries())
      nodes.push(stack.use(await ClusterNode.start(parts, plane, { name, number: index + 1, registryPort })));
    if (count === 2) (nodes[0] as ClusterNode).connectTo(nodes[1] as ClusterNode);
    const kubectl = new Kubectl(parts.kubectl.paths.kubectl, plane.kubeconfig);
    if (image === null) {
      await kubectl.run('apply', '--server-side', '-k', MANIFESTS);
      await kubectl.run('wait', '--for=condition=Established', 'crd/functions.mayfly.dev');
      const operator = stack.use(await startOperator(plane, kubectl));
      await operator.says('all functions are known');
    } else {
      for (const { machine } of nodes)
        await importContent(machine, PLATFORM_IMAGE, image.content, image.root);
      await kubectl.apply(wayToApiServer(plane.apiPort, nodes));
      await mayflyJson(['cluster', 'install', '--image', PLATFORM_IMAGE], {
        env: { KUBECONFIG: plane.kubeconfig },
      });
    }
    for (const name of names) await untilNodeIs(kubectl, name, 'True');
    return new NodeCluster(stack.move(), { plane, kubectl, registry, nodes });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  /** Builds a function and pushes it; answers how nodes call the image, or pods of a node. */
  async push(
    name: string,
    files: Readonly<Record<string, string>>,
    host: string = REGISTRY,
  ): Promise<string> {
    using folder = makeTestFolder(files);
    const image = join(folder.path, 'image');
    const pushed = `${this.registry.host}/shop/${name}`;
    for (const args of [
      ['build', folder.path, '-o', image],
      ['push', image, `${pushed}:1`],
    ]) {
      const { code, out, err } = await mayfly(['image', ...args]);
      if (code !== 0) throw new Error(`mayfly image ${args.join(' ')}: ${out}${err}`);
    }
    const { out } = await mayfly(['image', 'inspect', `${pushed}:1`, '--json']);
    const { digest } = JSON.parse(out) as { digest: string };
    return `${host}/shop/${name}@${digest}`;
  }

  /** What a Service answers to one of the nodes. */
  async askService(
    name: string,
    path: string,
    node: ClusterNode = this.nodes[0] as ClusterNode,
  ): Promise<Answered> {
    return await node.ask({ host: await this.addressOf(name), port: 80, path });
  }

  /** Of a Service, once there is one. */
  addressOf(name: string): Promise<string> {
    return eventually(`there is a Service ${name}`, async () => {
      const service = await this.kubectl.get<{ spec: { clusterIP: string } }>('service', name);
      return service?.spec.clusterIP;
    });
  }
}

/** Where pods that ask the Service `kubernetes` get: the API server is behind a relay on their own node. */
function wayToApiServer(port: number, nodes: readonly ClusterNode[]): object {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': 'kubernetes' },
    },
    addressType: 'IPv4',
    ports: [{ name: 'https', port, protocol: 'TCP' }],
    endpoints: nodes.map(({ address }) => ({ addresses: [address], conditions: { ready: true } })),
  };
}

export async function untilNodeIs(kubectl: Kubectl, name: string, status: 'True' | 'Unknown'): Promise<void> {
  interface Node {
    readonly status: { readonly conditions?: readonly { type: string; status: string }[] };
  }
  await eventually(`${name} is ready: ${status}`, async () => {
    const node = await kubectl.get<Node>('node', name);
    return node?.status.conditions?.some((item) => item.type === 'Ready' && item.status === status);
  });
}
