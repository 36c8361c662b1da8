/** How long after a Function was applied each step was seen, from outside and in small steps of time. */
import type { Answered } from '../../pods/support/agent.ts';
import type { KubeObject } from '../../../src/kubernetes/cluster/objects.ts';
import { ClusterClient } from '../../../src/kubernetes/cluster/client.ts';
import { findAccess } from '../../../src/kubernetes/cluster/kubeconfig.ts';
import { DEPLOYMENTS, PODS, SERVICES } from '../../../src/kubernetes/cluster/resources.ts';
import type { ClusterNode } from './node.ts';

const LOOK_EVERY_MS = 10;
const WITHIN_MS = 60_000;

export type Timeline = Readonly<Record<string, number>>;

interface Pod extends KubeObject {
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly state: { readonly running?: object } }[];
  };
}

/**
 * Applies `object` and follows it until its Service answers 200 to `path` on `node`. Pods are those whose label
 * `podLabel` says the function's name.
 */
export async function followFunction(
  kubeconfig: string,
  node: ClusterNode,
  object: KubeObject,
  path: string,
): Promise<{ readonly timeline: Timeline; readonly answered: Answered }> {
  await using cluster = new ClusterClient(findAccess({ env: {}, file: kubeconfig }));
  const { name } = object.metadata;
  const labels = { 'mayfly.dev/function': name };
  const begun = performance.now();
  const timeline: Record<string, number> = {};
  const reached = async (step: string, probe: () => Promise<boolean>) => {
    while (!(await probe())) {
      if (performance.now() - begun > WITHIN_MS) throw new Error(`no step "${step}" within a minute`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    timeline[step] = Math.round(performance.now() - begun);
  };
  const pods = async () => (await cluster.list({ resource: PODS, labels })).items as readonly Pod[];
  await cluster.create(object);
  timeline['taken by the API server'] = Math.round(performance.now() - begun);
  let address = '';
  const follow = async () => {
    await reached('Deployment', async () => (await cluster.get(DEPLOYMENTS, 'default', name)) !== null);
    await reached('pod', async () => (await pods()).length > 0);
    await reached('pod on a node', async () =>
      (await pods()).some(({ spec }) => spec.nodeName !== undefined),
    );
    await reached('container runs', async () =>
      (await pods()).some(({ status }) => status.containerStatuses?.some(({ state }) => state.running)),
    );
    await reached('pod ready', async () =>
      (await pods()).some(({ status }) =>
        status.conditions?.some((item) => item.type === 'Ready' && item.status === 'True'),
      ),
    );
  };
  let answered: Answered | undefined;
  const ask = async () => {
    await reached('Service', async () => {
      const service = await cluster.get(SERVICES, 'default', name);
      address = (service?.['spec'] as { clusterIP?: string } | undefined)?.clusterIP ?? '';
      return address !== '';
    });
    await reached('first answer through the Service', async () => {
      answered = await node.ask({ host: address, port: 80, path }).catch(() => undefined);
      return answered?.status === 200;
    });
  };
  await Promise.all([follow(), ask()]);
  return { timeline, answered: answered as Answered };
}

export function tellTimeline(title: string, timeline: Timeline): string {
  const steps = Object.entries(timeline).toSorted(([, a], [, b]) => a - b);
  return `${title}: ${steps.map(([step, ms]) => `${step} ${ms} ms`).join(', ')}`;
}
