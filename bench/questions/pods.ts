import { execFile } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { part } from '../../scripts/parts/part.ts';
import { podServer } from '../../src/pods/adapter.ts';
import { linkPod } from '../../src/pods/link/link.ts';
import { arenaBytes, encodePodSettings, type PodSettings } from '../../src/pods/settings.ts';
import { HTTP_LIMITS } from '../lib/http-limits.ts';
import { type LoadResult, medianLoad, wrk, wrkScript } from '../lib/load.ts';
import { digits, thousands } from '../lib/markdown.ts';
import { buildFunction, shopFolder } from '../lib/mayfly.ts';
import { freePort, type MemoryUse, Server } from '../lib/process.ts';
import { type Answer, atLeast, atMost, type Question, type RunOptions } from '../lib/question.ts';
import { median, range } from '../lib/statistics.ts';
import { headersWith, ORDER, PATH, prices } from '../lib/workload.ts';

const MEMORY_BYTES = 64 * 2 ** 20;
const NANO = 1e9;

export const pods: Question = {
  name: 'pods',
  title: 'What is the same function worth as a WasmEdge pod?',
  meaning: `The order of the gateway question, without a token, to one process: a pod compiled ahead of time, the same pod
interpreted, and node:http around the same module, with fresh state on every request in all three. wrk works on the same
cores with 64 connections; servers take turns, round by round. The start is from the start of the process to the first
byte of an answer, over and over with nothing else running; below the table is what wasmedge needs for a module that does
nothing. PSS counts shared pages (WasmEdge's libraries, Node's binary)
once for all processes that have them; "image" is what goes into the container: node:http needs Node besides.`,
  run,
};

interface Contestant {
  readonly name: string;
  readonly file: string;
  command(port: number): readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

interface Result {
  readonly contestant: Contestant;
  readonly runs: (LoadResult & { readonly cpuMicroseconds: number })[];
  readonly startMs: number[];
  memory: MemoryUse;
}

async function run(options: RunOptions): Promise<Answer> {
  const { quick, scratch, say } = options;
  const contestants = await prepareAll(scratch);
  const results = contestants.map((contestant): Result => ({
    contestant,
    runs: [],
    startMs: [],
    memory: { rssMB: 0, pssMB: 0 },
  }));
  const emptyMs: number[] = [];
  for (let round = 0; round < (quick ? 3 : 11); round++) {
    emptyMs.push(await emptyRun(scratch));
    for (const result of results) result.startMs.push(await startOf(result.contestant, scratch));
  }
  await loadAll(results, options);
  const rows = results.map(rowOf);
  for (const row of rows)
    say(`${row.server}: ${thousands(row.requestsPerSecond)}/s, start ${digits(row.startMs)} ms`);
  const [ahead, interpreted] = rows as [Row, Row, Row];
  return {
    tables: [tableOf(rows, median(emptyMs))],
    charts: [],
    targets: [
      atLeast('requests/s, ahead of time', 100_000, ahead.requestsPerSecond, thousands),
      atLeast('requests/s, interpreted', 20_000, interpreted.requestsPerSecond, thousands),
      atMost('start to first answer, ms, ahead of time', 20, ahead.startMs, digits),
      atMost('start to first answer, ms, interpreted', 20, interpreted.startMs, digits),
      atMost('image KB, ahead of time', 1000, ahead.imageKB, digits),
      atMost('image KB, interpreted', 100, interpreted.imageKB, digits),
    ],
    raw: results,
    rows,
  };
}

async function wasmedgeProgram(): Promise<string> {
  const found = await part('wasmedge');
  if ('missing' in found) throw new Error(found.missing);
  return found.paths.wasmedge;
}

async function prepareAll(scratch: string): Promise<readonly Contestant[]> {
  const wasmedge = await wasmedgeProgram();
  const shop = shopFolder(scratch, 'pod');
  const module = await buildFunction(join(shop, 'function.ts'), join(shop, 'function.wasm'));
  const plain = join(scratch, 'pod.wasm');
  const compiled = join(scratch, 'pod.aot.wasm');
  writeFileSync(plain, podOf(readFileSync(module), await podServer(scratch)));
  await promisify(execFile)(wasmedge, ['compile', '--generic-binary', plain, compiled]);
  const pod = (name: string, file: string): Contestant => ({
    name,
    file,
    command: (port) => [wasmedge, '--env', `PORT=${port}`, file],
    env: {},
  });
  return [
    pod('pod, ahead of time', compiled),
    pod('pod, interpreted', plain),
    {
      name: 'node:http',
      file: module,
      command: () => [process.execPath, join(import.meta.dirname, '../peers/node-pod.ts')],
      env: { MODULE: module },
    },
  ];
}

function podOf(guest: Uint8Array, adapter: Uint8Array): Uint8Array {
  const settings: PodSettings = {
    name: 'orders',
    host: '127.0.0.1',
    port: 8080,
    logLevel: 'warn',
    http: HTTP_LIMITS,
    limits: {
      requestTimeoutMs: 30_000,
      cpuBudgetMs: 3000,
      maxRequestBodyBytes: 2 ** 20,
      maxResponseBodyBytes: 2 ** 22,
    },
    env: {},
    routes: [{ host: null, path: PATH, methods: ['POST'] }],
  };
  return linkPod(guest, adapter, {
    memoryBytes: MEMORY_BYTES,
    arenaBytes: arenaBytes(settings),
    settings: encodePodSettings(settings),
  });
}

function launch({ name, command, env }: Contestant, port: number, scratch: string): Server {
  const logFile = join(scratch, `${name.replaceAll(/\W+/g, '-')}.log`);
  return new Server({ name, command: command(port), env: { ...env, PORT: String(port) }, logFile });
}

/** Milliseconds from the start of the process to the first byte of its answer to an order. */
async function startOf(contestant: Contestant, scratch: string): Promise<number> {
  const port = await freePort();
  const before = process.hrtime.bigint();
  const server = launch(contestant, port, scratch);
  try {
    while (!(await answers(port))) if (!server.alive) throw new Error(`${contestant.name} ended`);
    return (Number(process.hrtime.bigint() - before) / NANO) * 1000;
  } finally {
    await endAtOnce(server);
  }
}

/** `_start` and nothing else. */
const EMPTY = Buffer.from('0061736d0100000001040160000003020100070a01065f737461727400000a040102000b', 'hex');

/** Milliseconds that wasmedge takes for it: what no pod can be faster than. */
async function emptyRun(scratch: string): Promise<number> {
  const file = join(scratch, 'empty.wasm');
  writeFileSync(file, EMPTY);
  const program = await wasmedgeProgram();
  const before = process.hrtime.bigint();
  await promisify(execFile)(program, [file]);
  return (Number(process.hrtime.bigint() - before) / NANO) * 1000;
}

/** WasmEdge takes no SIGTERM into the module, and there is nothing to be finished. */
async function endAtOnce(server: Server): Promise<void> {
  server.kill();
  await server.stop();
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () =>
      socket.write(
        `POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${ORDER.length}\r\n\r\n${ORDER}`,
      ),
    );
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}

async function loadAll(results: readonly Result[], { quick, scratch, say }: RunOptions): Promise<void> {
  const script = wrkScript(join(scratch, 'pods.lua'), [
    { path: PATH, body: ORDER, headers: headersWith(null) },
  ]);
  const running = [];
  try {
    for (const { contestant } of results) {
      const port = await freePort();
      const server = launch(contestant, port, scratch);
      running.push({ port, server });
      await server.ready(() => prices({ port, path: PATH, token: null }));
      await wrk(port, PATH, { connections: 64, seconds: quick ? 1 : 3, script });
    }
    for (let round = 0; round < (quick ? 2 : 5); round++) {
      for (const [index, { port, server }] of running.entries()) {
        const result = results[index] as Result;
        const before = server.cpuSeconds();
        const load = await wrk(port, PATH, { connections: 64, seconds: quick ? 2 : 8, script });
        const cpuMicroseconds = ((server.cpuSeconds() - before) / load.requests) * 1e6;
        result.runs.push({ ...load, cpuMicroseconds });
        result.memory = server.memory();
        say(`${result.contestant.name}: ${thousands(load.requestsPerSecond)}/s`);
      }
    }
  } finally {
    for (const { server } of running) await endAtOnce(server);
  }
}

interface Row {
  readonly server: string;
  readonly requestsPerSecond: number;
  readonly spread: readonly [number, number];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicroseconds: number;
  readonly startMs: number;
  readonly rssMB: number;
  readonly pssMB: number;
  readonly imageKB: number;
  readonly errors: number;
}

function rowOf({ contestant, runs, startMs, memory }: Result): Row {
  const load = medianLoad(runs);
  return {
    server: contestant.name,
    requestsPerSecond: load.requestsPerSecond,
    spread: range(runs.map(({ requestsPerSecond }) => requestsPerSecond)) as [number, number],
    p50Ms: load.p50Ms,
    p99Ms: load.p99Ms,
    cpuMicroseconds: median(runs.map(({ cpuMicroseconds }) => cpuMicroseconds)),
    startMs: median(startMs),
    rssMB: memory.rssMB,
    pssMB: memory.pssMB,
    imageKB: statSync(contestant.file).size / 1000,
    errors: load.errors,
  };
}

function tableOf(rows: readonly Row[], emptyMs: number): Answer['tables'][number] {
  return {
    title: 'One process, the order of the flash sale, fresh state',
    head: [
      'server',
      'requests/s',
      'spread',
      'p50 ms',
      'p99 ms',
      'CPU µs/request',
      'start ms',
      'RSS MB',
      'PSS MB',
      'image KB',
      'errors',
    ],
    rows: rows.map((row) => [
      row.server,
      thousands(row.requestsPerSecond),
      row.spread.map(thousands).join('–'),
      ...[row.p50Ms, row.p99Ms, row.cpuMicroseconds, row.startMs, row.rssMB, row.pssMB, row.imageKB].map(
        digits,
      ),
      row.errors,
    ]),
    note: `wasmedge starts, runs a module that does nothing and ends in ${digits(emptyMs)} ms.`,
  };
}
