/**
 * What 1,000 functions cost the operator: `node bench/operator.ts [functions]`. A real API server with etcd, no
 * controllers; functions with 0 pods. Prints one line for each step.
 */
import { join } from 'node:path';
import { part } from '../scripts/parts/part.ts';
import { ClusterClient } from '../src/kubernetes/cluster/client.ts';
import { findAccess } from '../src/kubernetes/cluster/kubeconfig.ts';
import { DEPLOYMENTS, FUNCTIONS, SERVICES } from '../src/kubernetes/cluster/resources.ts';
import { ControlPlane } from '../test/kubernetes/support/control-plane.ts';
import { Kubectl } from '../test/kubernetes/support/kubectl.ts';
import { OperatorProcess } from './lib/operator-process.ts';

const COUNT = Number(process.argv[2] ?? 1000);
const ROOT = join(import.meta.dirname, '..');
const LABEL = { 'app.kubernetes.io/managed-by': 'mayfly-operator' };
const image = (digit: string) => `registry.example.com/shop/orders@sha256:${digit.repeat(64)}`;

const [kube, etcd, client] = [await part('kube'), await part('etcd'), await part('kubectl')];
if ('missing' in kube || 'missing' in etcd || 'missing' in client) throw new Error('parts are missing');
await using plane = await ControlPlane.start({ kube, etcd });
const kubectl = new Kubectl(client.paths.kubectl, plane.kubeconfig);
await kubectl.run('apply', '--server-side', '-k', join(ROOT, 'deploy/kubernetes'));
await kubectl.run('wait', '--for=condition=Established', 'crd/functions.mayfly.dev');
await using cluster = new ClusterClient(findAccess({ env: {}, file: plane.kubeconfig }));

await using operator = await OperatorProcess.start(plane.kubeconfig);

await step(`create ${COUNT}`, async () => {
  await each((name) => cluster.create(functionObject(name, 'a')));
  await until(async () => (await cluster.list({ resource: SERVICES, labels: LABEL })).items.length === COUNT);
});
await step('rest for 10 s', () => new Promise((resolve) => setTimeout(resolve, 10_000)));
await step(`another image for ${COUNT}`, async () => {
  const { items } = await cluster.list({ resource: FUNCTIONS, labels: {} });
  const known = new Map(items.map((item) => [item.metadata.name, item]));
  await each((name) =>
    cluster.replace({ ...functionObject(name, 'b'), metadata: known.get(name)?.metadata ?? { name } }),
  );
  await until(async () => {
    const deployments = (await cluster.list({ resource: DEPLOYMENTS, labels: LABEL })).items;
    return deployments.every((item) => JSON.stringify(item['spec']).includes(image('b')));
  });
});

function functionObject(name: string, digit: string) {
  const spec = { runtime: 'wasmedge', image: image(digit), replicas: 0 };
  return {
    apiVersion: FUNCTIONS.apiVersion,
    kind: 'Function',
    metadata: { name, namespace: 'default' },
    spec,
  };
}

/** Ten at a time. */
async function each(work: (name: string) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < COUNT; from += 10) {
    const names = Array.from({ length: Math.min(10, COUNT - from) }, (_, index) => `f-${from + index}`);
    await Promise.all(names.map(work));
  }
}

async function until(done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise((resolve) => setTimeout(resolve, 200));
}

async function step(name: string, work: () => Promise<unknown>): Promise<void> {
  const { seconds, cpuSeconds, requests, residentMiB } = await operator.cost(name, work);
  const { reads, writes } = requests;
  const cost = `${cpuSeconds.toFixed(2)} s CPU, ${writes} writes, ${reads} reads, ${residentMiB} MiB`;
  console.log(`${name}: ${seconds.toFixed(1)} s; operator ${cost}`);
}
