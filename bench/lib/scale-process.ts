/** `node scale-process.ts MODULE INSTANCES THREADS guest|bare`: makes the instances, prints one JSON line (ScaleRun). */
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { EpochClock } from '../../src/runtime/epoch-clock.ts';
import { createEpochMemory } from '../../src/runtime/epoch-memory.ts';
import { revisionOf } from './revision.ts';
import type { ScaleRun } from '../questions/scale.ts';
import type { ScaleData } from './scale-thread.ts';

const [file, instances, threads, kind] = process.argv.slice(2) as [string, string, string, ScaleRun['kind']];
const count = Number(instances);
const share = Math.ceil(count / Number(threads));
const epoch = createEpochMemory();
const clock = await EpochClock.start(epoch);
const wasm = readFileSync(file);
const revision = revisionOf('orders', wasm);
const bare = kind === 'bare' ? new WebAssembly.Module(wasm) : null;
const workerData: ScaleData = { epoch, revision, instances: share, bare };
const workers = await Promise.all(
  Array.from({ length: Number(threads) }, async () => {
    const worker = new Worker(new URL('./scale-thread.ts', import.meta.url), { workerData });
    await message(worker);
    return worker;
  }),
);
const before = pssKB();
const cpuBefore = process.cpuUsage();
const start = performance.now();
const answers = workers.map(message);
for (const worker of workers) worker.postMessage('go');
const live = (await Promise.all(answers)).reduce((total, answer) => total + (answer.live ?? 0), 0);
const ms = performance.now() - start;
if (live < count) throw new Error(`${live} of ${count} instances came to life`);
const cpu = process.cpuUsage(cpuBefore);
const run: ScaleRun = {
  kind,
  instances: count,
  threads: Number(threads),
  ms,
  cpuMicroseconds: (cpu.user + cpu.system) / live,
  pssKB: (pssKB() - before) / live,
};
console.log(JSON.stringify(run));
await Promise.all(workers.map((worker) => worker.terminate()));
await clock.stop();

function message(worker: Worker): Promise<{ live?: number }> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

function pssKB(): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))?.[1]);
}
