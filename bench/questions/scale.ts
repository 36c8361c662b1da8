import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildFunction, shopFolder } from '../lib/mayfly.ts';
import { digits } from '../lib/markdown.ts';
import { type Answer, atMost, type Question, type RunOptions } from '../lib/question.ts';
import { median } from '../lib/statistics.ts';

const PROGRAM = join(import.meta.dirname, '../lib/scale-process.ts');

export interface ScaleRun {
  readonly instances: number;
  readonly threads: number;
  readonly ms: number;
  /** More than before, per instance. */
  readonly pssKB: number;
}

export const scale: Question = {
  name: 'scale',
  title: 'How fast do instances come, and what does one cost?',
  meaning: `A process of its own has as many threads as there are cores, each with the shop's module compiled and no
instance. Then all threads make their share at once: instantiate, initialise, photograph. Time is that of the slowest
thread; memory is the growth of the process's proportional set size, per instance. A new process for each round.`,
  run,
};

async function run({ quick, scratch, say }: RunOptions): Promise<Answer> {
  const counts = [100, 1000, 5000];
  const threads = availableParallelism();
  const folder = shopFolder(scratch);
  const module = await buildFunction(join(folder, 'function.ts'), join(folder, 'function.wasm'));
  const runs: ScaleRun[] = [];
  for (let round = 0; round < (quick ? 1 : 5); round++) {
    for (const instances of counts) {
      const args = [PROGRAM, module, String(instances), String(threads)];
      const { stdout } = await promisify(execFile)(process.execPath, args, {
        timeout: 60_000,
        killSignal: 'SIGKILL',
      });
      const result = JSON.parse(stdout) as ScaleRun;
      runs.push(result);
      say(`${instances} instances: ${result.ms.toFixed(0)} ms`);
    }
  }
  const of = (instances: number, key: 'ms' | 'pssKB'): number =>
    median(runs.filter((one) => one.instances === instances).map((one) => one[key]));
  return {
    tables: [
      {
        title: `Instances of the shop's function (${readFileSync(module).length} bytes) on ${threads} threads`,
        head: ['instances', 'all after ms', 'µs each', 'KB each (PSS)'],
        rows: counts.map((count) => [
          count,
          digits(of(count, 'ms')),
          digits((of(count, 'ms') * 1000) / count),
          digits(of(count, 'pssKB')),
        ]),
      },
    ],
    charts: [
      {
        kind: 'lines',
        name: 'scale',
        title: 'Time until that many instances are there',
        x: 'instances',
        y: 'ms',
        lines: [
          { label: `${threads} threads`, points: counts.map((count) => [count, of(count, 'ms')] as const) },
        ],
      },
    ],
    targets: [atMost('ms from 0 to 5,000 instances', 300, of(5000, 'ms'), digits)],
    raw: { runs },
  };
}
