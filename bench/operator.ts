/**
 * What 1,000 functions cost the operator: `node bench/operator.ts [functions]`. A real API server with etcd, no
 * controllers; functions with 0 pods. Prints one line for each step.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { part } from '../scripts/parts/part.ts';
import { ClusterClient } from '../src/kubernetes/cluster/client.ts';
import { findAccess } from '../src/kubernetes/cluster/kubeconfig.ts';
import { DEPLOYMENTS, FUNCTIONS, SERVICES } from '../src/kubernetes/cluster/resources.ts';
import { ControlPlane } from '../test/kubernetes/support/control-plane.ts';
import { Kubectl } from '../test/kubernetes/support/kubectl.ts';

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

const flags = ['operator', '--kubeconfig', plane.kubeconfig, '--host', '127.0.0.1', '--port', '0'];
const operator = spawn(process.execPath, [join(ROOT, 'bin/mayfly.js'), ...flags]);
let port = '';
for await (const line of createInterface(operator.stdout)) {
  port ||= /"metrics":(\d+)/.exec(line)?.[1] ?? '';
  if (line.includes('all functions are known')) break;
}
operator.stdout.resume();

try {
  await step(`create ${COUNT}`, async () => {
    await each((name) => cluster.create(functionObject(name, 'a')));
    await until(
      async () => (await cluster.list({ resource: SERVICES, labels: LABEL })).items.length === COUNT,
    );
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
} finally {
  operator.kill('SIGTERM');
  await once(operator, 'exit');
}

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
  const [begun, cpu, writes] = [performance.now(), cpuSeconds(), await written()];
  await work();
  const seconds = (performance.now() - begun) / 1000;
  const cost = `${(cpuSeconds() - cpu).toFixed(2)} s CPU, ${(await written()) - writes} writes, ${residentMiB()} MiB`;
  console.log(`${name}: ${seconds.toFixed(1)} s; operator ${cost}`);
}

/** Of the operator; Linux counts in hundredths of a second. */
function cpuSeconds(): number {
  const fields = readFileSync(`/proc/${operator.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function residentMiB(): number {
  const status = readFileSync(`/proc/${operator.pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

async function written(): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return [...text.matchAll(/^mayfly_operator_writes_total\{.*\} (\d+)$/gm)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
}
