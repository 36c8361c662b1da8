/**
 * What a node does for the pods of gateways, without a node: they answer at addresses of this machine's loopback network, and
 * serve what their ConfigMap has when the pod's annotation changes.
 */
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { Cluster } from '../../../src/kubernetes/cluster/cluster.ts';
import type { KubeObject } from '../../../src/kubernetes/cluster/objects.ts';
import { CONFIG_MAPS, PODS } from '../../../src/kubernetes/cluster/resources.ts';
import { ANNOTATIONS, FIELD_MANAGER, LABELS } from '../../../src/kubernetes/resources/names.ts';
import type { Kubectl } from './kubectl.ts';

const MINE = { [LABELS.managedBy]: FIELD_MANAGER };
/** Of the pods: fixed by the operator. */
const METRICS_PORT = 9090;

interface RunningPod {
  readonly server: Server;
  serves: string;
}

export class GatewayPods implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #kubectl: Kubectl;
  readonly #end = new AbortController();
  readonly #pods = new Map<string, RunningPod>();
  readonly #running: Promise<void>;
  #refuses = false;
  failure: unknown = null;

  constructor(cluster: Cluster, kubectl: Kubectl) {
    this.#cluster = cluster;
    this.#kubectl = kubectl;
    this.#running = this.#follow().catch((error: unknown) => void (this.failure = error));
  }

  /** From now on pods go on with what they have, and say so. */
  set refuses(value: boolean) {
    this.#refuses = value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#running;
    for (const { server } of this.#pods.values()) {
      server.closeAllConnections();
      server.close();
    }
  }

  async #follow(): Promise<void> {
    const selection = { resource: PODS, labels: MINE };
    const { items, resourceVersion } = await this.#cluster.list(selection);
    for (const pod of items) await this.#see(pod);
    for await (const { type, object } of this.#cluster.watch(selection, resourceVersion, this.#end.signal)) {
      if (type === 'ADDED' || type === 'MODIFIED') await this.#see(object);
    }
  }

  async #see({ metadata }: KubeObject): Promise<void> {
    const { uid = '', name, namespace = '', annotations = {}, labels = {} } = metadata;
    const gateway = labels[LABELS.gateway] ?? '';
    const known = this.#pods.get(uid);
    if (metadata.deletionTimestamp !== undefined) {
      this.#pods.delete(uid);
      known?.server.close();
      // There is no node that could say that it has ended.
      await this.#kubectl.run('delete', 'pod', name, '-n', namespace, '--force', '--ignore-not-found');
      return;
    }
    if (known === undefined) {
      const pod = { server: createServer(), serves: await this.#configurationOf(gateway, namespace) };
      this.#pods.set(uid, pod);
      await this.#start(pod, name, namespace);
    } else if (annotations[ANNOTATIONS.configuration] !== undefined) {
      const offered = await this.#configurationOf(gateway, namespace);
      if (!this.#refuses) known.serves = offered;
    }
  }

  async #start(pod: RunningPod, name: string, namespace: string): Promise<void> {
    const address = `127.77.${process.pid % 250}.${this.#pods.size}`;
    pod.server.on('request', (_, response) => {
      const refused = this.#refuses ? { refused: this.#newest } : {};
      response.end(JSON.stringify({ status: 'ok', configuration: pod.serves, ...refused }));
    });
    await new Promise<void>((resolve) => pod.server.listen(METRICS_PORT, address, resolve));
    const conditions = [{ type: 'Ready', status: 'True' }];
    const status = { phase: 'Running', podIP: address, podIPs: [{ ip: address }], conditions };
    const patch = JSON.stringify({ status });
    await this.#kubectl.run('patch', 'pod', name, '-n', namespace, '--subresource=status', '-p', patch);
  }

  #newest = '';

  async #configurationOf(gateway: string, namespace: string): Promise<string> {
    const map = await this.#cluster.get(CONFIG_MAPS, namespace, gateway);
    const text = (map?.['data'] as Record<string, string> | undefined)?.['mayfly.yaml'] ?? '';
    this.#newest = createHash('sha256').update(text).digest('hex');
    return this.#newest;
  }
}
