import { busyTicks } from '../lib/machine.ts';
import { type LoadResult, medianLoad, wrk, wrkScript } from '../lib/load.ts';
import { digits, type Table, thousands } from '../lib/markdown.ts';
import type { MemoryUse } from '../lib/process.ts';
import {
  type Answer,
  atLeast,
  atMost,
  type Question,
  type RunOptions,
  type Target,
} from '../lib/question.ts';
import { median, range } from '../lib/statistics.ts';
import { tokenOf } from '../lib/tokens.ts';
import { headersWith, ORDER, prices } from '../lib/workload.ts';
import { join } from 'node:path';
import { gatherMaterials, allPeers } from '../peers/peers.ts';
import type { Peer, RunningPeer } from '../peers/peer.ts';
import { manyFunctions } from './gateway/many.ts';

/** One measured run against one server. */
interface Run extends LoadResult {
  readonly cpuMicroseconds: number;
  /** Cores that neither the server nor the generator kept busy: other work on the machine. */
  readonly foreignCores: number;
}

interface Series {
  readonly peer: Peer;
  readonly running: RunningPeer;
  readonly connections: number;
  readonly runs: Run[];
  memory: MemoryUse;
}

interface Row {
  readonly server: string;
  readonly does: string;
  readonly connections: number;
  readonly requestsPerSecond: number;
  readonly spread: readonly [number, number];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly cpuMicroseconds: number;
  readonly rssMB: number;
  readonly firstAnswerMs: number;
  readonly errors: number;
  readonly foreignCores: number;
}

/** Best to worst figures of the whole run; `many` has the rows of 64 functions and 1,000 users. */
export const gateway: Question = {
  name: 'gateway',
  title: 'How many requests a second, and what does one cost?',
  meaning: `Every server prices the same order: a POST of 133 bytes with an HS256 token, over keep-alive connections, from
wrk on the same machine as fast as the server answers (closed loop: latencies are those at saturation). Servers take
turns, round by round; figures are medians of the rounds, the spread is the slowest and the fastest of them.
CPU is user and system time of the server's processes alone, per request: it is what scales to other machines. "Bare
handler" means no token, no limit, no policy, no metrics: such a server does a small part of the work.
"Other load" is what else the machine was doing; where it is above 0.1 cores, compare with care.`,
  run,
};

async function run(options: RunOptions): Promise<Answer> {
  const { quick, scratch, say } = options;
  const materials = await gatherMaterials(scratch);
  const peers = (await allPeers(materials)).filter((peer) => !quick || peer.quick);
  const token = await tokenOf('user-0');
  const missing = new Map<string, string>();
  const series: Series[] = [];
  for (const peer of peers) {
    try {
      if (peer.missing !== null) throw new Error(peer.missing);
      const running = await peer.start();
      await running.server.ready(() => prices({ port: running.port, path: peer.path, token }));
      say(`${peer.name} answers after ${running.server.firstAnswerMs.toFixed(0)} ms`);
      const none = { rssMB: 0, pssMB: 0 };
      for (const connections of quick ? [64] : [64, 256]) {
        series.push({ peer, running, connections, runs: [], memory: none });
      }
    } catch (error) {
      missing.set(peer.name, (error as Error).message.split('\n')[0] as string);
      say(`${peer.name} is missing: ${missing.get(peer.name)}`);
    }
  }
  try {
    await measure(series, token, options);
  } finally {
    await Promise.all(
      [...new Set(series.map(({ running }) => running.server))].map((server) => server.stop()),
    );
  }
  const rows = series.map(summarise);
  const many = quick ? null : await manyFunctions(options, materials);
  return answerOf(rows, missing, many === null ? [] : [many.table], {
    rows,
    missing: Object.fromEntries(missing),
    many: many?.raw,
  });
}

async function measure(series: readonly Series[], token: string, options: RunOptions): Promise<void> {
  const { quick, scratch, say } = options;
  const seconds = quick ? 1 : 5;
  const scripts = new Map<string, string>();
  for (const { peer } of series) {
    const script = wrkScript(join(scratch, `order-${scripts.size}.lua`), [
      { path: peer.path, body: ORDER, headers: headersWith(token) },
    ]);
    scripts.set(peer.name, script);
  }
  // Warm up: just-in-time compilers and the first garbage are not what is asked for.
  for (const { peer, running, connections } of series) {
    const script = scripts.get(peer.name) as string;
    await wrk(running.port, peer.path, { connections, seconds: quick ? 2 : 3, script });
  }
  for (let round = 1; round <= (quick ? 3 : 5); round++) {
    for (const one of series) {
      one.runs.push(await oneRun(one, scripts.get(one.peer.name) as string, seconds));
      one.memory = one.running.server.memory();
    }
    say(
      `round ${round}: ${series.map(({ peer, runs }) => `${peer.name} ${thousands(runs.at(-1)?.requestsPerSecond ?? 0)}`).join(', ')}`,
    );
  }
}

async function oneRun({ peer, running, connections }: Series, script: string, seconds: number): Promise<Run> {
  const { server, port } = running;
  const cpuBefore = server.cpuSeconds();
  const busyBefore = busyTicks();
  const start = performance.now();
  const result = await wrk(port, peer.path, { connections, seconds, script });
  const elapsed = (performance.now() - start) / 1000;
  const cpu = server.cpuSeconds() - cpuBefore;
  const busy = (busyTicks() - busyBefore) / 100;
  const foreign = (busy - cpu - result.generatorCpuSeconds) / elapsed;
  return {
    ...result,
    cpuMicroseconds: (cpu / result.requests) * 1e6,
    foreignCores: Math.max(0, foreign),
  };
}

function summarise({ peer, running, connections, runs, memory }: Series): Row {
  const load = medianLoad(runs);
  return {
    server: peer.name,
    does: peer.does,
    connections,
    requestsPerSecond: Math.round(load.requestsPerSecond),
    spread: range(runs.map(({ requestsPerSecond }) => Math.round(requestsPerSecond))),
    p50Ms: load.p50Ms,
    p99Ms: load.p99Ms,
    p999Ms: load.p999Ms,
    cpuMicroseconds: Number(median(runs.map(({ cpuMicroseconds }) => cpuMicroseconds)).toFixed(2)),
    rssMB: Math.round(memory.rssMB),
    firstAnswerMs: Math.round(running.server.firstAnswerMs),
    errors: load.errors,
    foreignCores: Number(median(runs.map(({ foreignCores }) => foreignCores)).toFixed(2)),
  };
}

function answerOf(
  rows: readonly Row[],
  missing: ReadonlyMap<string, string>,
  more: readonly Table[],
  raw: unknown,
): Answer {
  const tables = [...new Set(rows.map(({ connections }) => connections))].map((connections) =>
    tableOf(
      rows.filter((row) => row.connections === connections),
      connections,
      missing,
    ),
  );
  const main = rows.filter(({ connections }) => connections === 64);
  return {
    tables: [...tables, ...more],
    charts: [
      {
        kind: 'bars',
        name: 'gateway-rate',
        title: 'Requests per second, 64 connections',
        unit: 'requests/s',
        bars: main.map((row) => ({
          label: row.server,
          value: row.requestsPerSecond,
          low: row.spread[0],
          high: row.spread[1],
          highlight: row.server === 'Mayfly',
        })),
      },
      {
        kind: 'bars',
        name: 'gateway-cpu',
        title: 'CPU of the server per request, 64 connections',
        unit: 'µs',
        bars: main.map((row) => ({
          label: row.server,
          value: row.cpuMicroseconds,
          highlight: row.server === 'Mayfly',
        })),
      },
    ],
    targets: targetsOf(main),
    raw,
    rows: main.map(({ server, requestsPerSecond, p50Ms, p99Ms, cpuMicroseconds }) => ({
      server,
      requestsPerSecond,
      p50Ms,
      p99Ms,
      cpuMicroseconds,
    })),
  };
}

function tableOf(rows: readonly Row[], connections: number, missing: ReadonlyMap<string, string>): Table {
  const nginx = rows.find(({ server }) => server === 'nginx')?.requestsPerSecond ?? Number.NaN;
  return {
    title: `${connections} connections`,
    head: [
      'server',
      'does',
      'requests/s',
      'spread',
      'of nginx',
      'p50 ms',
      'p99 ms',
      'p99.9 ms',
      'CPU µs',
      'RSS MB',
      'start ms',
      'errors',
      'other load',
    ],
    rows: [
      ...rows.map((row) => [
        row.server,
        row.does,
        thousands(row.requestsPerSecond),
        row.spread.map(thousands).join('–'),
        (row.requestsPerSecond / nginx).toFixed(2),
        digits(row.p50Ms),
        digits(row.p99Ms),
        digits(row.p999Ms),
        digits(row.cpuMicroseconds),
        row.rssMB,
        row.firstAnswerMs,
        row.errors,
        row.foreignCores.toFixed(2),
      ]),
      ...[...missing].map(([name, why]) => [
        name,
        `missing: ${why}`,
        ...Array.from({ length: 11 }, () => '–'),
      ]),
    ],
  };
}

/** The promises of the project, in one run side by side. The ratios are what counts; the first one needs a calm machine of a kind. */
function targetsOf(rows: readonly Row[]): Target[] {
  const of = (name: string): Row | undefined => rows.find(({ server }) => server === name);
  const mayfly = of('Mayfly');
  if (mayfly === undefined) return [];
  const times = (value: number): string => `${value.toFixed(2)}x`;
  const percent = (value: number): string => `${(value * 100).toFixed(0)} %`;
  const faster = (than: string, wanted: number, show = times): Target[] => {
    const other = of(than);
    if (other === undefined) return [];
    return [
      atLeast(
        `requests/s, against ${than}`,
        wanted,
        mayfly.requestsPerSecond / other.requestsPerSecond,
        show,
      ),
    ];
  };
  const nginx = of('nginx');
  return [
    atLeast('requests/s', 140_000, mayfly.requestsPerSecond, thousands),
    ...faster('nginx', 0.6, percent),
    ...faster('node:http, same pipeline', 1.6),
    ...faster('node:http, libraries, tokens cached', 2.5),
    ...faster('wasmtime serve, fresh', 7),
    ...faster('wasmtime serve, fresh, tuned', 3),
    ...faster('workerd, shared', 5),
    ...faster('Bun.serve', 1),
    ...faster('Deno.serve', 1),
    ...(nginx === undefined
      ? []
      : [
          atMost(
            'server CPU per request, against nginx',
            1.8,
            mayfly.cpuMicroseconds / nginx.cpuMicroseconds,
            times,
          ),
        ]),
  ];
}
