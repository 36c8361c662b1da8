/** Starts, memory, density and capacity of pods. Variants take turns, so that a busy moment of the machine meets all. */
import { median } from '../../../bench/lib/statistics.ts';
import type { PodNode } from '../support/node.ts';
import type { Pod } from '../support/pod.ts';
import type { Variant } from './variants.ts';

export interface Figures {
  sandboxMs: number;
  firstAnswerMs: number;
  stopMs: number;
  requestsPerSecond: number;
  podsPerSecond: number;
  /** Per pod, at full density: the function's process, and with the shim and pause processes. */
  processBytes: number;
  allBytes: number;
  /** What the container's control group counts. */
  groupBytes: number;
}

export interface Plan {
  readonly rounds: number;
  readonly pods: number;
  readonly loadSeconds: number;
  readonly wrk: string;
}

const ORDER = { method: 'POST', path: '/api/function', body: '{"sku":"mug-7","quantity":12}' };
const AT_ONCE = 4;
const GRACE_SECONDS = 10;

export async function measure(
  node: PodNode,
  variants: readonly Variant[],
  plan: Plan,
  tell: (line: string) => void,
): Promise<Map<Variant, Figures>> {
  const starts = new Map(variants.map((variant) => [variant, [] as Start[]]));
  for (let round = 0; round < plan.rounds; round += 1) {
    tell(`starts and load, round ${round + 1} of ${plan.rounds}`);
    for (const variant of variants) starts.get(variant)?.push(await oneStart(node, variant, plan));
  }
  const figures = new Map<Variant, Figures>();
  for (const variant of variants) {
    tell(`${plan.pods} pods: ${variant.name}`);
    const many = await density(node, variant, plan.pods);
    const of = (key: keyof Start) => median((starts.get(variant) as Start[]).map((start) => start[key]));
    figures.set(variant, {
      sandboxMs: of('sandboxMs'),
      firstAnswerMs: of('firstAnswerMs'),
      stopMs: of('stopMs'),
      requestsPerSecond: of('requestsPerSecond'),
      ...many,
    });
  }
  return figures;
}

type Start = Pick<Figures, 'sandboxMs' | 'firstAnswerMs' | 'stopMs' | 'requestsPerSecond'>;

async function oneStart(node: PodNode, { name, pod: options }: Variant, plan: Plan): Promise<Start> {
  // Under crun SIGTERM is heard only with a PID namespace that the pod shares.
  await using pod = await node.startPod({ ...options, sharedProcesses: options.handler === 'wasmedge' });
  await pod.firstAnswer('/health');
  const firstAnswerMs = performance.now() - pod.containerStarted;
  const answer = await pod.ask(ORDER.path, ORDER);
  if (answer.status !== 200)
    throw new Error(`${name} answers an order with ${answer.status}: ${answer.body}`);
  const requestsPerSecond = load(node, pod, plan);
  const stopping = performance.now();
  await pod.stop(GRACE_SECONDS);
  return {
    sandboxMs: pod.containerStarted - pod.sandboxStarted,
    firstAnswerMs,
    stopMs: performance.now() - stopping,
    requestsPerSecond,
  };
}

function load(node: PodNode, pod: Pod, { wrk, loadSeconds }: Plan): number {
  const script = node.writeFile(
    'order.lua',
    `wrk.method = "POST"\nwrk.body = '${ORDER.body}'\nwrk.headers["content-type"] = "application/json"\n`,
  );
  const target = `http://${pod.ip}:8080${ORDER.path}`;
  const output = node.namespaces.run(wrk, '-t1', '-c32', `-d${loadSeconds}s`, '-s', script, target);
  if (/Non-2xx/.test(output)) throw new Error(`errors under load: ${output}`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]);
}

async function density(
  node: PodNode,
  { pod: options }: Variant,
  count: number,
): Promise<Pick<Figures, 'podsPerSecond' | 'processBytes' | 'allBytes' | 'groupBytes'>> {
  const { inside } = node.namespaces;
  const pods: Pod[] = [];
  await using all = new AsyncDisposableStack();
  const began = performance.now();
  let left = count;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) {
        const pod = all.use(await node.startPod(options));
        await pod.firstAnswer('/health');
        pods.push(pod);
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  for (const pod of pods) await pod.ask(ORDER.path, ORDER);
  const each = async (read: (pod: Pod) => Promise<number>) => {
    let total = 0;
    for (const pod of pods) total += await read(pod);
    return total / count;
  };
  const processBytes = await each((pod) => pod.proportionalBytes());
  const helpers =
    (await inside.proportionalBytesOf('containerd-shim')) + (await inside.proportionalBytesOf('/pause'));
  return {
    podsPerSecond: count / seconds,
    processBytes,
    allBytes: processBytes + helpers / count,
    groupBytes: await each((pod) => pod.groupNumber('memory', 'memory.usage_in_bytes', 'memory.current')),
  };
}
