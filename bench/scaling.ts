/**
 * `node bench/scaling.ts [pods] [functions] [instances]`: how fast capacity comes after a step in load, and what 1,000
 * functions cost the operator. Without names all three are measured (about 15 minutes); those not named stay as they were
 * measured last. Writes bench/results/scaling.json, docs/scaling.md and docs/scaling.svg. `page`: writes the page only.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderChart } from './lib/chart.ts';
import { describeMachine } from './lib/machine.ts';
import { measureFunctions, measureInstances, measurePods } from './lib/scaling-measures.ts';
import { type Scaling, scalingChart, scalingPage } from './lib/scaling-page.ts';

const RESULT = join(import.meta.dirname, 'results/scaling.json');
const DOCS = join(import.meta.dirname, '../docs');
const MEASURES = ['pods', 'functions', 'instances'] as const;

const names = process.argv.slice(2);
const unknown = names.find((name) => name !== 'page' && !(MEASURES as readonly string[]).includes(name));
if (unknown !== undefined) {
  console.error(`There is no measure ${unknown}. Measures: ${MEASURES.join(', ')}; or page.`);
  process.exit(2);
}
const scratch = mkdtempSync(join(tmpdir(), 'mayfly-bench-scaling-'));
const say = (line: string): void => console.error(`  ${line}`);
const work = {
  pods: () => measurePods(say),
  functions: () => measureFunctions(say),
  instances: () => measureInstances(scratch),
};
try {
  for (const name of MEASURES) {
    if (names.length > 0 && !names.includes(name)) continue;
    const [machine, value] = [describeMachine(), await work[name]()];
    // Read again: another measure may have been written meanwhile.
    save({ ...load(), [name]: { machine, value } });
    say(`${name}: done`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
const { pods, functions, instances } = load();
if (pods === undefined || instances === undefined) {
  console.error('The page needs at least the measures pods and instances.');
  process.exitCode = 1;
} else {
  const scaling: Scaling = { pods, instances, ...(functions !== undefined && { functions }) };
  writeFileSync(join(DOCS, 'scaling.md'), scalingPage(scaling));
  writeFileSync(join(DOCS, 'scaling.svg'), renderChart(scalingChart(scaling)));
}

function load(): Partial<Scaling> {
  return existsSync(RESULT) ? (JSON.parse(readFileSync(RESULT, 'utf8')) as Partial<Scaling>) : {};
}

function save(scaling: Partial<Scaling>): void {
  writeFileSync(RESULT, `${JSON.stringify(scaling, null, 1)}\n`);
}
