/** A control plane with nodes that only pretend to run their pods (KWOK), and the definitions of the platform. */
import { join } from 'node:path';
import { part } from '../../scripts/parts/part.ts';
import { ControlPlane } from '../../test/kubernetes/support/control-plane.ts';
import { Kubectl } from '../../test/kubernetes/support/kubectl.ts';

const MANIFESTS = join(import.meta.dirname, '../../deploy/kubernetes');

export interface PretendedCluster extends AsyncDisposable {
  readonly kubeconfig: string;
  readonly kubectl: Kubectl;
}

/** `qps` and `burst`: requests a second that the stock controllers allow themselves (20 and 30 unless somebody sets them). */
export async function startPretendedCluster(
  nodes: number,
  limits: { readonly qps: number; readonly burst: number },
): Promise<PretendedCluster> {
  const [kube, etcd, client] = [await part('kube'), await part('etcd'), await part('kubectl')];
  const kwok = await part('kwok');
  if ('missing' in kube || 'missing' in etcd || 'missing' in client || 'missing' in kwok)
    throw new Error('Parts are missing: run node scripts/parts/main.ts kube etcd kubectl kwok');
  const controllers = { 'kube-api-qps': limits.qps, 'kube-api-burst': limits.burst };
  const plane = await ControlPlane.start({ kube, etcd }, { controllers });
  try {
    await plane.startControllers();
    await plane.startScheduler();
    plane.startKwok(kwok);
    const kubectl = new Kubectl(client.paths.kubectl, plane.kubeconfig);
    await kubectl.run('apply', '--server-side', '-k', MANIFESTS);
    await kubectl.run('wait', '--for=condition=Established', 'crd/functions.mayfly.dev');
    await kubectl.apply(...Array.from({ length: nodes }, (_, index) => pretendedNode(`fake-${index}`)));
    return {
      kubeconfig: plane.kubeconfig,
      kubectl,
      [Symbol.asyncDispose]: () => plane[Symbol.asyncDispose](),
    };
  } catch (error) {
    await plane[Symbol.asyncDispose]();
    throw error;
  }
}

function pretendedNode(name: string): object {
  const resources = { cpu: '64', memory: '256Gi', pods: '600' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      annotations: { 'kwok.x-k8s.io/node': 'fake' },
      labels: { 'mayfly.dev/wasmedge': 'true', 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' },
    },
    status: { allocatable: resources, capacity: resources },
  };
}
