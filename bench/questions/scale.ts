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
  /** `bare`: `new WebAssembly.Instance` of the module as it was built, and nothing else. */
  readonly kind: 'guest' | 'bare';
  readonly instances: number;
  readonly threads: number;
  readonly ms: number;
  /** Of the whole process, garbage collection included, per instance. */
  readonly cpuMicroseconds: number;
  /** More than before, per instance. */
  readonly pssKB: number;
}

const KINDS = ['guest', 'bare'] as const;

export const scale: Question = {
  name: 'scale',
  title: 'How fast do instances come, and what does one cost?',
  meaning: `A process of its own has as many threads as there are cores, each with the shop's module compiled and no
instance. Then all threads make their share at once: instantiate, initialise, photograph. Time is that of the slowest
thread; memory is the growth of the process's proportional set size, per instance. A new process for each round.
"Bare" is a loop of nothing but \`new WebAssembly.Instance\` of the module as it was built: what the engine and the kernel
take for a memory of its own and an instance, which no platform on this engine can go below.`,
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
      for (const kind of KINDS) {
        const args = [PROGRAM, module, String(instances), String(threads), kind];
        const { stdout } = await promisify(execFile)(process.execPath, args, {
          timeout: 60_000,
          killSignal: 'SIGKILL',
        });
        const result = JSON.parse(stdout) as ScaleRun;
        runs.push(result);
        say(`${instances} ${kind} instances: ${result.ms.toFixed(0)} ms`);
      }
    }
  }
  const of = (kind: ScaleRun['kind'], instances: number, key: 'ms' | 'cpuMicroseconds' | 'pssKB'): number =>
    median(runs.filter((one) => one.kind === kind && one.instances === instances).map((one) => one[key]));
  return {
    tables: [
      {
        title: `Instances of the shop's function (${readFileSync(module).length} bytes) on ${threads} threads`,
        head: ['instances', 'kind', 'all after ms', 'µs each', 'CPU µs each', 'KB each (PSS)'],
        rows: counts.flatMap((count) =>
          KINDS.map((kind) => [
            count,
            kind,
            digits(of(kind, count, 'ms')),
            digits((of(kind, count, 'ms') * 1000) / count),
            digits(of(kind, count, 'cpuMicroseconds')),
            digits(of(kind, count, 'pssKB')),
          ]),
        ),
      },
    ],
    charts: [
      {
        kind: 'lines',
        name: 'scale',
        title: 'Time until that many instances are there',
        x: 'instances',
        y: 'ms',
        lines: KINDS.map((kind) => ({
          label: `${kind}, ${threads} threads`,
          points: counts.map((count) => [count, of(kind, count, 'ms')] as const),
        })),
      },
    ],
    targets: [atMost('ms from 0 to 5,000 instances', 300, of('guest', 5000, 'ms'), digits)],
    raw: { runs },
  };
}
