/**
 * node test/pods/measure/main.ts [--pods 20] [--rounds 5] [--seconds 2] [--write]
 * Measures pods beside a node:http server in the same kind of container and prints a table; --write puts it into
 * docs/reference/pods-measured.md.
 */
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine, machineLine } from '../../../bench/lib/machine.ts';
import { renderTable } from '../../../bench/lib/markdown.ts';
import { part } from '../../../scripts/parts/part.ts';
import { buildPod } from '../support/build-pod.ts';
import { nodeObstacle } from '../support/node.ts';
import { startNodeOf } from '../support/start-node.ts';
import { type Plan, measure } from './measure.ts';
import { podsTable } from './report.ts';
import { prepareVariants } from './variants.ts';

const PAGE = join(import.meta.dirname, '../../../docs/reference/pods-measured.md');

const { values } = parseArgs({
  options: {
    pods: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    write: { type: 'boolean', default: false },
  },
});

// A machine that does other things as well gives larger times: the page says so.
const busy = loadavg()[0] as number;
const obstacle = nodeObstacle();
const [containers, pause, shim, wrk, wasmedge] = await Promise.all([
  part('containers'),
  part('pause'),
  part('shim'),
  part('wrk'),
  part('wasmedge'),
]);
if (obstacle !== undefined) fail(obstacle);
if ('missing' in containers) fail(containers.missing);
if ('missing' in pause) fail(pause.missing);
if ('missing' in shim) fail(shim.missing);
if ('missing' in wrk) fail(wrk.missing);
if ('missing' in wasmedge) fail(wasmedge.missing);

const plan: Plan = {
  rounds: Number(values.rounds),
  pods: Number(values.pods),
  loadSeconds: Number(values.seconds),
  wrk: wrk.paths.wrk,
};
const modules = {
  plain: await buildPod('examples/flash-sale', {}),
  compiled: await buildPod('examples/flash-sale', { wasmedge: wasmedge.paths.wasmedge }),
};
await using node = await startNodeOf({ containers, pause, shim });
const variants = await prepareVariants(node, modules);
const figures = await measure(node, variants, plan, (line) => console.error(line));
const table = renderTable(podsTable(figures, plan));
console.log(`\n${table}\n`);
if (values.write) {
  const text = [
    '# Pods, measured',
    '',
    'The flash-sale function as a pod of containerd 1.7.24, run by crun 1.21 with WasmEdge 0.14.1 and by our shim over the',
    'same library, and as a server of node:http. All containers: not root, read-only root, no capabilities, seccomp.',
    'Written by `node test/pods/measure/main.ts --write`.',
    '',
    `${machineLine(describeMachine())}; load average at the start: ${busy.toFixed(1)}.`,
    '',
    table,
    '',
  ];
  writeFileSync(PAGE, text.join('\n'));
}

function fail(reason: string): never {
  console.error(`Pods cannot be measured here: ${reason}`);
  process.exit(1);
}
