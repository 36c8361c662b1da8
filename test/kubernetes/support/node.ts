/** A node of a cluster: a machine of its own (test/pods/support) with containerd, a kubelet and kube-proxy. */
import { closeSync, existsSync, globSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { FoundPart } from '../../../scripts/parts/part.ts';
import type { Answered, Asked } from '../../pods/support/agent.ts';
import { importFiles } from '../../pods/support/images.ts';
import { type NodeParts, PAUSE_IMAGE, PodNode } from '../../pods/support/node.ts';
import type { ControlPlane } from './control-plane.ts';
import { Relay } from './node-relay.ts';

export interface ClusterNodeParts extends NodeParts {
  readonly kube: FoundPart<'kube'>;
  readonly containers: NodeParts['containers'] & FoundPart<'iptables'>;
  readonly coredns: FoundPart<'coredns'>;
}

export interface ClusterNodeOptions {
  readonly name: string;
  /** 1, 2, …: decides its addresses. */
  readonly number: number;
  /** Port of the registry on the loopback. Nodes know it as `registry.test`. */
  readonly registryPort: number;
}

/** The name by which nodes pull. */
export const REGISTRY = 'registry.test';
const REGISTRY_PORT = 5000;
const PODS = '10.213.0.0/16';

/**
 * Fixed paths of the kubelet become empty folders of the node's own; an empty bridge carries the node's address, so that it
 * stays when the cable to another node goes. An address that nobody has is given up after 150 ms. $1: the node's address.
 */
const FURNISH = `
set -e
mount -t tmpfs none /var/log; mkdir /var/log/containers
mount -t tmpfs none /var/lib; mkdir /var/lib/cni /var/lib/kubelet
ip link add node0 type bridge
ip address add "$1/24" dev node0
ip link set node0 up
ip route add default dev node0
echo 50 > /proc/sys/net/ipv4/neigh/node0/retrans_time_ms
echo 1 > /proc/sys/net/ipv4/ip_forward
`;

/** What the cluster's names end in. */
const DOMAIN = 'cluster.local';

type Flags = Readonly<Record<string, string | number | boolean>>;

export class ClusterNode implements AsyncDisposable {
  readonly name: string;
  readonly machine: PodNode;
  readonly address: string;
  readonly #podAddresses: string;
  readonly #parts: ClusterNodeParts;
  readonly #plane: ControlPlane;
  readonly #relays: Relay[] = [];
  #kubelet = 0;

  private constructor(
    machine: PodNode,
    parts: ClusterNodeParts,
    plane: ControlPlane,
    options: ClusterNodeOptions,
  ) {
    this.machine = machine;
    this.name = options.name;
    this.address = addressOf(options.number);
    this.#podAddresses = podAddressesOf(options.number);
    this.#parts = parts;
    this.#plane = plane;
  }

  static async start(
    parts: ClusterNodeParts,
    plane: ControlPlane,
    options: ClusterNodeOptions,
  ): Promise<ClusterNode> {
    const machine = await PodNode.start(parts, podAddressesOf(options.number));
    const node = new ClusterNode(machine, parts, plane, options);
    try {
      await importFiles(machine, PAUSE_IMAGE, { pause: readFileSync(parts.pause.paths.pause) }, ['/pause']);
      machine.namespaces.run('sh', '-c', FURNISH, 'sh', node.address);
      makeGroups(machine.cgroup);
      await node.#relay('api', '127.0.0.1', plane.apiPort, plane.apiPort);
      await node.#relay('pods-api', node.address, plane.apiPort, plane.apiPort);
      await node.#relay('registry', node.address, REGISTRY_PORT, options.registryPort);
      node.#knowRegistry();
      await node.startKubelet();
      await node.#startProxy();
      await node.#startNames();
    } catch (error) {
      await node[Symbol.asyncDispose]();
      throw error;
    }
    return node;
  }

  /** What comes inside to `host:port` goes to a port of this machine's loopback. */
  async #relay(name: string, host: string, port: number, to: number): Promise<void> {
    const relay = await Relay.start(join(this.machine.folder, `${name}.sock`), to);
    this.#relays.push(relay);
    await this.machine.namespaces.inside.relay(host, port, relay.socket);
  }

  #knowRegistry(): void {
    const folder = join(this.machine.folder, 'registries', REGISTRY);
    mkdirSync(folder, { recursive: true });
    const server = `http://${this.address}:${REGISTRY_PORT}`;
    writeFileSync(
      join(folder, 'hosts.toml'),
      `server = "${server}"\n[host."${server}"]\n  capabilities = ["pull", "resolve"]\n`,
    );
  }

  async startKubelet(): Promise<void> {
    const { folder } = this.machine;
    const config = this.machine.writeFile('kubelet.json', JSON.stringify(this.#kubeletConfiguration()));
    const flags = {
      config,
      kubeconfig: this.#plane.kubeconfigOfPart(this.name),
      'root-dir': join(folder, 'kubelet'),
      'cert-dir': join(folder, 'kubelet-pki'),
      'hostname-override': this.name,
      'node-ip': this.address,
      'node-labels': 'mayfly.dev/wasmedge=true',
    };
    this.#kubelet = await this.#run('kubelet', flags);
  }

  /** As when it crashes: containers go on, and nobody tells the API server how they are. */
  async killKubelet(): Promise<void> {
    await this.machine.namespaces.inside.kill(this.#kubelet, 'SIGKILL');
  }

  #kubeletConfiguration(): object {
    const { folder, cgroup } = this.machine;
    return {
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      containerRuntimeEndpoint: `unix://${folder}/c.sock`,
      cgroupDriver: 'cgroupfs',
      cgroupRoot: cgroup,
      failSwapOn: false,
      authentication: { anonymous: { enabled: false }, webhook: { enabled: true } },
      authorization: { mode: 'Webhook' },
      resolvConf: '',
      clusterDNS: [this.address],
      clusterDomain: DOMAIN,
      volumePluginDir: join(folder, 'flex'),
      maxPods: 200,
      serializeImagePulls: false,
      podLogsDir: join(folder, 'logs'),
      // The disk is everybody's: how full it is says nothing about this node.
      evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
      imageGCHighThresholdPercent: 100,
      imageGCLowThresholdPercent: 99,
      // A sign of life every 2 s.
      nodeLeaseDurationSeconds: 8,
      kubeAPIQPS: 100,
      kubeAPIBurst: 200,
    };
  }

  async #startProxy(): Promise<void> {
    await this.#run('proxy', {
      kubeconfig: this.#plane.kubeconfigOfPart('kube-proxy'),
      'proxy-mode': 'iptables',
      'cluster-cidr': PODS,
      'hostname-override': this.name,
      // Pods of one bridge would else answer each other past the Service's address.
      'masquerade-all': 'true',
      'conntrack-max-per-core': 0,
      'bind-address': '127.0.0.1',
    });
  }

  /** Names of Services, for pods (https://github.com/kubernetes/dns/blob/master/docs/specification.md). */
  async #startNames(): Promise<void> {
    const config = this.machine.writeFile(
      'Corefile',
      `. {\n  bind ${this.address}\n  errors\n  kubernetes ${DOMAIN} {\n    kubeconfig ${this.#plane.kubeconfig}\n  }\n}\n`,
    );
    await this.start('coredns', [this.#parts.coredns.paths.coredns], { conf: config });
  }

  #run(name: string, flags: Flags): Promise<number> {
    return this.start(name, [this.#parts.kube.paths.kube, name], flags);
  }

  /** A program on the node itself, until the node goes. What it prints is `log(name)`. Its pid in the node. */
  async start(
    name: string,
    [program, ...first]: readonly [string, ...string[]],
    flags: Flags,
  ): Promise<number> {
    // kube-proxy calls iptables, the kubelet calls mount.
    const path = [dirname(this.#parts.containers.paths.iptables), process.env['PATH']].join(':');
    const args = [...first, ...Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`)];
    const log = openSync(join(this.machine.folder, `${name}.log`), 'a');
    const env = { ...process.env, PATH: path };
    const pid = await this.machine.namespaces.start(program, args, env, log);
    closeSync(log);
    return pid;
  }

  /** A cable to another node, and the way to its pods. */
  connectTo(other: ClusterNode): void {
    const cable = 'cable0';
    this.machine.namespaces.connect(other.machine.namespaces, cable);
    for (const [here, there] of [
      [this, other],
      [other, this],
    ] as const) {
      const { namespaces } = here.machine;
      namespaces.run('ip', 'link', 'set', cable, 'master', 'node0', 'up');
      namespaces.run('ip', 'route', 'add', there.#podAddresses, 'via', there.address);
    }
  }

  /** The registry, as pods call it. */
  get registry(): string {
    return `${this.address}:${REGISTRY_PORT}`;
  }

  /** Asks from the node itself. */
  ask(asked: Asked): Promise<Answered> {
    return this.machine.namespaces.inside.request(asked);
  }

  log(name: string): string {
    return readFileSync(join(this.machine.folder, `${name}.log`), 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const relay of this.#relays) await relay[Symbol.asyncDispose]();
    await this.machine[Symbol.asyncDispose]();
  }
}

function addressOf(number: number): string {
  return `10.77.0.${number}`;
}

function podAddressesOf(number: number): string {
  return `10.213.${16 * number}.0/20`;
}

/** The kubelet wants the group above its pods to be there, in every hierarchy. */
function makeGroups(name: string): void {
  const hierarchies = existsSync('/sys/fs/cgroup/cgroup.controllers')
    ? ['/sys/fs/cgroup']
    : globSync('/sys/fs/cgroup/*/cgroup.procs')
        .map((file) => dirname(file))
        .filter((folder) => !folder.endsWith('/unified'));
  for (const hierarchy of hierarchies) {
    const group = `${hierarchy}${name}`;
    mkdirSync(group, { recursive: true });
    // A group of cpuset holds nothing until it is said what its processes may run on.
    for (const file of ['cpuset.cpus', 'cpuset.mems'])
      if (existsSync(join(group, file)) && hierarchy !== '/sys/fs/cgroup')
        writeFileSync(join(group, file), readFileSync(join(hierarchy, file)));
  }
}
