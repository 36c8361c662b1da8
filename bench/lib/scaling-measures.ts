/** What docs/scaling.md is made of: each measure takes minutes and stands by itself. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { availableParallelism } from 'node:os';
import { ClusterClient } from '../../src/kubernetes/cluster/client.ts';
import { findAccess } from '../../src/kubernetes/cluster/kubeconfig.ts';
import type { KubeObject } from '../../src/kubernetes/cluster/objects.ts';
import { DEPLOYMENTS } from '../../src/kubernetes/cluster/resources.ts';
import type { ScaleRun } from '../questions/scale.ts';
import { buildFunction, shopFolder } from './mayfly.ts';
import { OperatorProcess, type StepCost } from './operator-process.ts';
import { type PretendedCluster, startPretendedCluster } from './pretended-nodes.ts';
import { median } from './statistics.ts';

export const NODES = 12;
export const FUNCTIONS = 1000;
export const PODS = 5000;
export const PODS_BEFORE = 10;
const REST_MS = 10_000;
const GIVE_UP_MS = 540_000;
const MANAGED = { 'app.kubernetes.io/managed-by': 'mayfly-operator' };
const STOCK = { qps: 20, burst: 30 };
const RAISED = { qps: 1000, burst: 2000 };
const SCALE_PROGRAM = join(import.meta.dirname, 'scale-process.ts');

/** [seconds since the step, ready pods] */
export type Points = readonly (readonly [number, number])[];

/** One Function from 10 to 5,000 pods; its number is set at once, so that only the pods' coming is seen. */
export async function measurePods(say: (line: string) => void): Promise<Points> {
  await using cluster = await startPretendedCluster(NODES, STOCK);
  await using _ = await OperatorProcess.start(cluster.kubeconfig);
  await using client = clientOf(cluster);
  await client.create(functionObject('orders', 'a', PODS_BEFORE));
  await untilReady(() => readyPods(client), PODS_BEFORE);
  const points: [number, number][] = [[0, PODS_BEFORE]];
  const begun = performance.now();
  await cluster.kubectl.run('scale', 'function/orders', `--replicas=${PODS}`);
  await untilReady(async () => {
    const ready = await readyPods(client);
    points.push([(performance.now() - begun) / 1000, ready]);
    if (points.length % 20 === 0) say(`${ready} pods are ready`);
    return ready;
  }, PODS);
  return points;
}

/** Functions with their pods: all made, at rest, one changed, at rest again. */
export async function measureFunctions(
  say: (line: string) => void,
  { functions = FUNCTIONS, pods: all = PODS } = {},
): Promise<readonly StepCost[]> {
  await using cluster = await startPretendedCluster(NODES, RAISED);
  await using operator = await OperatorProcess.start(cluster.kubeconfig);
  await using client = clientOf(cluster);
  const names = Array.from({ length: functions }, (_, index) => `f-${index}`);
  const pods = all / functions;
  const costs: StepCost[] = [];
  const step = async (name: string, work: () => Promise<unknown>) => {
    const cost = await operator.cost(name, work);
    costs.push(cost);
    const { reads, watches, writes, lease } = cost.requests;
    const asked = `${writes} writes, ${reads} reads, ${watches} watches, ${lease} for the lease`;
    say(`${name}: ${cost.seconds.toFixed(1)} s, ${cost.cpuSeconds.toFixed(2)} s CPU, ${asked}`);
  };
  await step(
    `${functions} functions with ${pods} pods each, until all are ready and said to be`,
    async () => {
      for (let from = 0; from < names.length; from += 10)
        await Promise.all(
          names.slice(from, from + 10).map((name) => client.create(functionObject(name, 'a', pods))),
        );
      await untilReady(() => readyPods(client), all);
      await untilQuiet(operator);
    },
  );
  await step(`${REST_MS / 1000} s at rest`, () => pause(REST_MS));
  await step('another image for one of them, until its new pods are ready and said to be', async () => {
    await cluster.kubectl.apply(functionObject('f-0', 'b', pods));
    await untilQuiet(operator);
  });
  await step('nothing changes in another 10 s', () => pause(REST_MS));
  return costs;
}

/** Seconds for as many instances in warm gateway threads as there were pods to make; the median of `rounds`. */
export async function measureInstances(
  scratch: string,
  rounds = 3,
): Promise<{ threads: number; seconds: number }> {
  const folder = shopFolder(scratch);
  const module = await buildFunction(join(folder, 'function.ts'), join(folder, 'function.wasm'));
  const threads = availableParallelism();
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const args = [SCALE_PROGRAM, module, String(PODS), String(threads), 'guest'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
    seconds.push((JSON.parse(stdout) as ScaleRun).ms / 1000);
  }
  return { threads, seconds: median(seconds) };
}

function clientOf({ kubeconfig }: PretendedCluster): ClusterClient {
  return new ClusterClient(findAccess({ env: {}, file: kubeconfig }));
}

function functionObject(name: string, digit: string, replicas: number): KubeObject {
  const image = `registry.example.com/shop/orders@sha256:${digit.repeat(64)}`;
  return {
    apiVersion: 'mayfly.dev/v1alpha1',
    kind: 'Function',
    metadata: { name, namespace: 'default' },
    spec: { runtime: 'wasmedge', image, replicas },
  };
}

/** As the Deployments' own status has it: stock controllers wrote it. */
async function readyPods(client: ClusterClient): Promise<number> {
  const { items } = await client.list({ resource: DEPLOYMENTS, labels: MANAGED });
  return items.reduce(
    (sum, { status }) => sum + ((status as { readyReplicas?: number } | undefined)?.readyReplicas ?? 0),
    0,
  );
}

async function untilReady(ready: () => Promise<number>, wanted: number): Promise<void> {
  const end = performance.now() + GIVE_UP_MS;
  while ((await ready()) < wanted) {
    if (performance.now() > end)
      throw new Error(`${wanted} pods did not get ready in ${GIVE_UP_MS / 1000} s`);
    await pause(1000);
  }
}

/** It wrote something, and then nothing for 4 s: twice as long as any of its waits. */
async function untilQuiet(operator: OperatorProcess): Promise<void> {
  let before = -1;
  for (let quiet = 0; quiet < 4;) {
    await pause(1000);
    const { writes: now } = await operator.requests();
    quiet = now === before ? quiet + 1 : 0;
    before = now;
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
