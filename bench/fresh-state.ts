/**
 * What fresh state per request costs: rewriting, instrumented code against the original, restore, instances, deadlines.
 * `node bench/fresh-state.ts [--quick] [MODULE.wasm …]` prints Markdown tables; modules given are rewritten and timed.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import asc from 'assemblyscript/asc';
import { EpochClock } from '../src/runtime/epoch-clock.ts';
import { createEpochMemory } from '../src/runtime/epoch-memory.ts';
import { Instance } from '../src/runtime/instance.ts';
import { monotonicMs } from '../src/runtime/monotonic.ts';
import { type Prepared, prepare } from '../src/runtime/prepare/prepare.ts';
import { RuntimeThread } from '../src/runtime/runtime-thread.ts';

const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 5 : 15;
const MEMORY_BYTES = 128 * 1024 * 1024;
const imports = { env: { abort: () => undefined, seed: () => 0 } };

/** Kernels between the extremes: all calls (fib), all arithmetic (sha256), all loads (matmul), all stores (copy). */
const KERNELS = `
export function fib(n: i32): i32 { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
const K = new StaticArray<u32>(64), W = new StaticArray<u32>(64);
export function hash(p: usize, length: i32): u32 {
  let a: u32 = 0x6a09e667, b: u32 = 0xbb67ae85, c: u32 = 0x3c6ef372, d: u32 = 0xa54ff53a;
  let e: u32 = 0x510e527f, f: u32 = 0x9b05688c, g: u32 = 0x1f83d9ab, h: u32 = 0x5be0cd19;
  for (let o = 0; o + 64 <= length; o += 64) {
    for (let i = 0; i < 16; i++) unchecked(W[i] = bswap(load<u32>(p + o + (i << 2))));
    for (let i = 16; i < 64; i++) {
      const x = unchecked(W[i - 15]), y = unchecked(W[i - 2]);
      unchecked(W[i] = W[i - 16] + (rotr(x, 7) ^ rotr(x, 18) ^ (x >>> 3)) + W[i - 7] + (rotr(y, 17) ^ rotr(y, 19) ^ (y >>> 10)));
    }
    for (let i = 0; i < 64; i++) {
      const t = h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & f) ^ (~e & g)) + unchecked(K[i]) + unchecked(W[i]);
      const u = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      h = g; g = f; f = e; e = d + t; d = c; c = b; b = a; a = t + u;
    }
  }
  return a;
}
export function sieve(p: usize, n: i32): i32 {
  memory.fill(p, 1, n);
  for (let i = 2; i * i < n; i++) if (load<u8>(p + i)) for (let j = i * i; j < n; j += i) store<u8>(p + j, 0);
  let count = 0;
  for (let i = 2; i < n; i++) count += load<u8>(p + i);
  return count;
}
export function matmul(p: usize, n: i32): f64 {
  const q = p + n * n * 8, r = q + n * n * 8;
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) {
    let sum: f64 = 0;
    for (let k = 0; k < n; k++) sum += load<f64>(p + ((i * n + k) << 3)) * load<f64>(q + ((k * n + j) << 3));
    store<f64>(r + ((i * n + j) << 3), sum);
  }
  return load<f64>(r);
}
export function copy(to: usize, from: usize, length: i32): void {
  for (let i = 0; i < length; i += 8) store<u64>(to + i, load<u64>(from + i));
}
export function touch(pages: i32, stride: i32): void { for (let i = 0; i < pages; i++) store<i32>(4096 + i * stride, i); }
export function spin(): void { while (true) {} }
`;
type Kernel = (...values: number[]) => number;
const calls: Readonly<Record<string, readonly number[]>> = {
  fib: [22],
  hash: [65_536, 16_384],
  sieve: [131_072, 65_536],
  matmul: [1 << 20, 40],
  copy: [1 << 20, 1 << 21, 65_536],
};

async function compile(pages: number): Promise<Uint8Array<ArrayBuffer>> {
  let binary = new Uint8Array(0);
  const { error, stderr } = await asc.main(
    ['kernels.ts', '-O3', '--runtime', 'stub', '--initialMemory', String(pages), '--outFile', 'kernels.wasm'],
    {
      readFile: (name) => (name === 'kernels.ts' ? KERNELS : null),
      writeFile: (_name, contents) => void (binary = Uint8Array.from(contents as Uint8Array)),
      listFiles: () => [],
    },
  );
  if (error !== null) throw new Error(stderr.toString(), { cause: error });
  return binary;
}

function table(
  title: string,
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): void {
  console.log(`\n### ${title}\n\n| ${head.join(' | ')} |\n|${head.map(() => '---').join('|')}|`);
  for (const row of rows) console.log(`| ${row.join(' | ')} |`);
}

function quantile(samples: readonly number[], q: number): number {
  return samples.toSorted((a, b) => a - b)[
    Math.min(samples.length - 1, Math.floor(samples.length * q))
  ] as number;
}

/** Median microseconds of one call of `work`, over rounds of `batch` calls. */
function time(batch: number, work: () => void): number {
  const samples: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let call = 0; call < batch; call++) work();
    samples.push(((performance.now() - start) * 1000) / batch);
  }
  return quantile(samples, 0.5);
}

function instantiate(thread: RuntimeThread, prepared: Prepared): Instance {
  const module = new WebAssembly.Module(prepared.wasm);
  return Instance.create(thread, module, prepared.info, imports, { initialize: () => undefined });
}

function rewriting(kernels: Uint8Array<ArrayBuffer>): void {
  const given = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
  const modules = [
    ['kernels', kernels] as const,
    ...given.map((file) => [file, readFileSync(file)] as const),
  ];
  const rows = modules.map(([name, bytes]) => {
    let size = 0;
    const us = time(
      bytes.length > 1e6 ? 1 : 20,
      () => (size = prepare(bytes, { memoryBytes: 2 ** 32 }).wasm.length),
    );
    return [
      name,
      bytes.length,
      (us / 1000).toFixed(2),
      (bytes.length / us).toFixed(1),
      (size / bytes.length).toFixed(2),
    ];
  });
  table(
    'Rewriting (once, at deploy; validation twice included)',
    ['module', 'bytes', 'ms', 'MB/s', 'growth of the code'],
    rows,
  );
}

/** Alternating rounds of both, so that a busy machine hurts both alike. */
function slowdown(thread: RuntimeThread, kernels: Uint8Array<ArrayBuffer>): void {
  const module = new WebAssembly.Module(kernels);
  const instance = instantiate(thread, prepare(kernels, { memoryBytes: MEMORY_BYTES }));
  const rows = Object.entries(calls).map(([name, values]) => {
    const samples: [number[], number[]] = [[], []];
    const batch = 40;
    for (let round = 0; round < ROUNDS * 4; round++) {
      // Nobody restores the original: it is made anew, outside the time that counts.
      const plain = new WebAssembly.Instance(module, imports);
      for (const [index, { exports }] of [plain, instance].entries()) {
        const kernel = exports[name] as Kernel;
        if (index === 1) instance.arm(60_000);
        const start = performance.now();
        for (let call = 0; call < batch; call++) kernel(...values);
        (samples[index] as number[]).push(((performance.now() - start) * 1000) / batch);
        instance.restore();
      }
    }
    const [before, after] = samples.map((list) => quantile(list, 0.3)) as [number, number];
    return [name, before.toFixed(1), after.toFixed(1), `${(after / before).toFixed(2)}x`];
  });
  table('Instrumented code against the original', ['kernel', 'original µs', 'prepared µs', 'ratio'], rows);
}

async function restoring(thread: RuntimeThread): Promise<void> {
  const rows: (string | number)[][] = [];
  for (const pages of [1, 4, 16, 64, 1024]) {
    const original = await compile(pages);
    const prepared = prepare(original, { memoryBytes: MEMORY_BYTES });
    const module = new WebAssembly.Module(original);
    const instances = Array.from({ length: pages > 100 ? 2 : 32 }, () => instantiate(thread, prepared));
    const plain = instances.map(() => new WebAssembly.Instance(module, imports));
    for (const [label, count] of [
      ['one hot', 1],
      [`${instances.length} in turn`, instances.length],
    ] as const) {
      const row: (string | number)[] = [`${pages * 64} KiB`, label];
      for (const dirty of [0, 2, 8, 32]) {
        const stride = Math.max(1024, Math.floor(((pages * 65_536 - 8192) / Math.max(dirty, 1)) & ~1023));
        let turn = 0;
        const batch = pages > 100 ? 2000 : 20_000;
        const before = time(batch, () => {
          const instance = plain[(turn = (turn + 1) % count)] as WebAssembly.Instance;
          (instance.exports['touch'] as Kernel)(dirty, stride);
        });
        const after = time(batch, () => {
          const instance = instances[(turn = (turn + 1) % count)] as Instance;
          instance.arm(600_000);
          (instance.exports['touch'] as Kernel)(dirty, stride);
          instance.restore();
        });
        row.push((after - before).toFixed(2));
      }
      rows.push(row);
    }
    for (const instance of instances) instance.dispose();
  }
  table(
    'Fresh state (arm, marks, restore), µs a request more than the original, by dirty pages of 1 KiB',
    ['memory', 'instances', '0', '2', '8', '32'],
    rows,
  );
}

function creating(thread: RuntimeThread, kernels: Uint8Array<ArrayBuffer>): void {
  const prepared = prepare(kernels, { memoryBytes: MEMORY_BYTES });
  const module = new WebAssembly.Module(prepared.wasm);
  const count = quick ? 500 : 5000;
  const samples: number[] = [];
  const memory = process.memoryUsage().rss;
  const started = performance.now();
  const instances = Array.from({ length: count }, () => {
    const start = performance.now();
    const instance = Instance.create(thread, module, prepared.info, imports, { initialize: () => undefined });
    samples.push((performance.now() - start) * 1000);
    return instance;
  });
  const total = performance.now() - started;
  const perInstance = (process.memoryUsage().rss - memory) / count / 1024;
  const images = thread.imageMemory.bytes.length / 1024;
  for (const instance of instances) instance.dispose();
  table(
    'Instances',
    ['count', 'all, ms', 'p50 µs', 'p99 µs', 'max µs', 'KiB each', 'image memory of the thread, KiB'],
    [
      [
        count,
        total.toFixed(0),
        ...[0.5, 0.99, 1].map((q) => quantile(samples, q).toFixed(0)),
        perInstance.toFixed(0),
        images,
      ],
    ],
  );
}

async function deadlines(thread: RuntimeThread, kernels: Uint8Array<ArrayBuffer>): Promise<void> {
  const clock = await EpochClock.start(thread.epoch);
  const instance = instantiate(thread, prepare(kernels, { memoryBytes: MEMORY_BYTES }));
  const rows: (string | number)[][] = [];
  for (const busyThreads of [0, availableParallelism()]) {
    const others = Array.from({ length: busyThreads }, () => new Worker('for (;;);', { eval: true }));
    const late = lateness(instance);
    await Promise.all(others.map((other) => other.terminate()));
    rows.push([busyThreads, late.length, ...[0.5, 0.99, 1].map((q) => quantile(late, q).toFixed(2))]);
  }
  await clock.stop();
  table(
    'CPU budget of 5 ms: from the deadline to the trap, ms',
    ['other busy threads', 'calls', 'p50', 'p99', 'max'],
    rows,
  );
}

/** How many milliseconds after the deadline each of a row of endless calls was stopped. */
function lateness(instance: Instance): number[] {
  const late: number[] = [];
  for (let call = 0; call < (quick ? 30 : 200); call++) {
    instance.arm(5);
    const deadline = monotonicMs() + 5;
    try {
      (instance.exports['spin'] as Kernel)();
    } catch {
      late.push(monotonicMs() - deadline);
    }
    instance.restore();
  }
  return late;
}

const thread = new RuntimeThread(createEpochMemory());
const kernels = await compile(64);
rewriting(kernels);
slowdown(thread, kernels);
await restoring(thread);
creating(thread, kernels);
await deadlines(thread, kernels);
