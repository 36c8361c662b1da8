/** The figures as a table for people. */
import { type Table, digits, thousands } from '../../../bench/lib/markdown.ts';
import type { Figures, Plan } from './measure.ts';
import type { Variant } from './variants.ts';

const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;

export function podsTable(figures: ReadonlyMap<Variant, Figures>, plan: Plan): Table {
  const mebibytes = (bytes: number) => digits(bytes / MEBIBYTE);
  return {
    title: `One function in a container, ${plan.pods} pods for memory, median of ${plan.rounds} starts`,
    head: [
      'container',
      'sandbox ms',
      'start → first answer ms',
      'SIGTERM → end ms',
      'requests/s',
      'pods/s',
      'PSS MiB, process',
      'PSS MiB, pod',
      'cgroup MiB',
      'pods in 4 GiB',
      'image KiB',
    ],
    rows: [...figures].map(([{ name, imageBytes }, of]) => [
      name,
      digits(of.sandboxMs),
      digits(of.firstAnswerMs),
      digits(of.stopMs),
      thousands(of.requestsPerSecond),
      digits(of.podsPerSecond),
      mebibytes(of.processBytes),
      mebibytes(of.allBytes),
      mebibytes(of.groupBytes),
      thousands(Math.floor((4 * GIBIBYTE) / of.allBytes)),
      thousands(imageBytes / 1024),
    ]),
    note: [
      'Sandbox: the pod with its network and pause process. Start: from asking for the container to the first answer over',
      'the network of the pod. SIGTERM: under crun with a PID namespace shared in the pod. Requests: one connection thread, 32',
      'connections, the generator on the same cores. Pods/s: four at a time. PSS counts shared pages by share: of the',
      "function's process, and with the pod's shim and pause processes. Cgroup: what the limit is compared with; the first",
      'container to touch a file pays for its pages. Pods in 4 GiB: from PSS of a pod. Image of node:http: its program and',
      'libraries, not compressed.',
    ].join('\n'),
  };
}
