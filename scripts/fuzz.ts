/**
 * Open-ended fuzzing: `node scripts/fuzz.ts http [--cases N] [--seed S] [--threads T]`.
 * Runs until somebody stops it, N cases were run, or a case fails; then it prints the seed that repeats the case.
 * Case k of a run uses seed S + k, so `--seed <failing> --cases 1` repeats it alone.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';

/** One fuzzer: what is wrong with the case of this seed, or null. */
interface Fuzzer {
  run(seed: number): string | null;
}

const targets: Record<string, () => Promise<Fuzzer>> = {
  http: async () => new (await import('../test/fuzz/http-fuzz.ts')).HttpFuzz(),
};

interface Share {
  readonly target: string;
  readonly first: number;
  readonly step: number;
  readonly cases: number;
}

type Report = {
  readonly cases: number;
  readonly failure: { readonly seed: number; readonly what: string } | null;
};

const BATCH = 20_000;

async function work({ target, first, step, cases }: Share): Promise<void> {
  const fuzzer = await (targets[target] as () => Promise<Fuzzer>)();
  let inBatch = 0;
  for (let k = 0; k < cases; k++) {
    const seed = first + k * step;
    const what = fuzzer.run(seed);
    inBatch++;
    if (what !== null || inBatch === BATCH || k === cases - 1) {
      parentPort?.postMessage({
        cases: inBatch,
        failure: what === null ? null : { seed, what },
      } satisfies Report);
      inBatch = 0;
    }
    if (what !== null) return;
  }
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { cases: { type: 'string' }, seed: { type: 'string' }, threads: { type: 'string' } },
  });
  const target = positionals[0] ?? '';
  const cases = values.cases === undefined ? Infinity : Number(values.cases);
  const seed = values.seed === undefined ? Date.now() % 1e9 : Number(values.seed);
  const wanted = values.threads === undefined ? availableParallelism() : Number(values.threads);
  if (!(target in targets) || !(cases > 0) || !Number.isSafeInteger(seed) || !(wanted > 0)) {
    console.error(
      `Usage: node scripts/fuzz.ts ${Object.keys(targets).join('|')} [--cases N] [--seed S] [--threads T]`,
    );
    process.exit(2);
  }
  const threads = Math.min(wanted, cases);
  const start = performance.now();
  let total = 0;
  let running = threads;
  console.log(`${target}: seed ${seed}, ${threads} threads`);
  const tell = (): void => {
    const rate = Math.round((total / (performance.now() - start)) * 1000);
    console.log(`${target}: ${total} cases, ${rate} a second, no disagreement`);
  };
  const timer = setInterval(tell, 10_000);
  for (let thread = 0; thread < threads; thread++) {
    const share: Share = {
      target,
      first: seed + thread,
      step: threads,
      cases: Math.ceil((cases - thread) / threads),
    };
    const worker = new Worker(new URL(import.meta.url), { workerData: share });
    worker.on('message', ({ cases: done, failure }: Report) => {
      total += done;
      if (failure === null) return;
      console.error(
        `\n${failure.what}\n\nRepeat it: node scripts/fuzz.ts ${target} --seed ${failure.seed} --cases 1`,
      );
      process.exit(1);
    });
    worker.on('exit', () => {
      if (--running > 0) return;
      clearInterval(timer);
      tell();
    });
  }
}

if (isMainThread) main();
else await work(workerData as Share);
