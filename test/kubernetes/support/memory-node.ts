/** Nodes for a cluster in memory: the pods of gateways run, read their configuration when they are told, and say what they serve. */
import { createHash } from 'node:crypto';
import type { RegoCompiler } from '../../../src/kubernetes/operator/policy-book.ts';
import type { KubeObject } from '../../../src/kubernetes/cluster/objects.ts';
import type { PodReport } from '../../../src/kubernetes/isolate/serving.ts';
import { ANNOTATIONS, LABELS } from '../../../src/kubernetes/resources/names.ts';
import type { MemoryCluster } from './memory-cluster.ts';

interface PodState {
  /** What the annotation said when the pod last looked. */
  told: string | undefined;
  serves: string;
}

export class MemoryNode {
  readonly #cluster: MemoryCluster;
  readonly #chance: () => number;
  readonly #pods = new Map<string, PodState>();
  #born = 0;

  constructor(cluster: MemoryCluster, chance: () => number) {
    this.#cluster = cluster;
    this.#chance = chance;
  }

  /** As many pods for each gateway as its Deployment says; new ones when their template is another. */
  runPods(): void {
    const cluster = this.#cluster;
    const deployment = cluster.find('Deployment', 'shop/shop');
    const { replicas = 0, template } = (deployment?.['spec'] ?? {}) as {
      replicas?: number;
      template?: { metadata?: { labels?: Record<string, string> } };
    };
    const hash = createHash('sha256')
      .update(JSON.stringify(template ?? null))
      .digest('hex');
    const pods = cluster.all('Pod');
    const current = pods.filter(({ metadata }) => metadata.labels?.['hash'] === hash);
    for (const pod of pods) if (!current.slice(0, replicas).includes(pod)) cluster.remove(pod);
    // Nodes look by themselves now and then, too.
    for (const pod of cluster.all('Pod')) {
      const state = this.#pods.get(pod.metadata.uid ?? '');
      if (state !== undefined) state.serves = this.#configurationOf(pod);
    }
    for (let count = current.length; count < replicas; count++) {
      const name = `shop-${++this.#born}`;
      const labels = { ...template?.metadata?.labels, hash };
      const metadata = { name, namespace: 'shop', labels };
      const status = { conditions: [{ type: 'Ready', status: 'True' }] };
      const pod = cluster.create('kubelet', { apiVersion: 'v1', kind: 'Pod', metadata, status });
      this.#pods.set(pod.metadata.uid ?? '', { told: undefined, serves: this.#configurationOf(pod) });
    }
  }

  /** Some answers get lost; all come when the weather is fine. */
  async ask({ metadata }: KubeObject): Promise<PodReport | null> {
    if (this.#chance() < this.#cluster.weather.failing) return null;
    const pod = this.#cluster.find('Pod', `${metadata.namespace}/${metadata.name}`);
    const state = this.#pods.get(pod?.metadata.uid ?? '');
    if (pod === undefined || state === undefined) return null;
    const told = pod.metadata.annotations?.[ANNOTATIONS.configuration];
    if (told !== state.told) Object.assign(state, { told, serves: this.#configurationOf(pod) });
    return { configuration: state.serves, refused: null };
  }

  readonly rego: RegoCompiler = {
    check: async ({ rego }) => {
      this.#needMemory();
      return rego === 'broken' ? 'The policy does not compile.' : null;
    },
    compile: async (rules) => {
      this.#needMemory();
      const text = JSON.stringify(rules);
      const name = `${createHash('sha256').update(text).digest('hex')}.policy`;
      return { name, bytes: Buffer.from(text) };
    },
  };

  #needMemory(): void {
    if (this.#chance() < this.#cluster.weather.failing) throw new Error('no memory for a compiler');
  }

  #configurationOf({ metadata }: KubeObject): string {
    const map = this.#cluster.find('ConfigMap', `shop/${metadata.labels?.[LABELS.gateway]}`);
    const text = (map?.['data'] as Record<string, string> | undefined)?.['mayfly.yaml'] ?? '';
    return createHash('sha256').update(text).digest('hex');
  }
}
