import { rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { coldModules, coldVariant, SIZES } from '../lib/cold-modules.ts';
import { type MayflyConfig, shopFolder, startMayfly } from '../lib/mayfly.ts';
import { digits, type Table } from '../lib/markdown.ts';
import {
  type Histogram,
  histogramOf,
  histogramQuantile,
  parseMetrics,
  type Sample,
} from '../lib/prometheus.ts';
import { type Answer, atMost, type Question, type RunOptions } from '../lib/question.ts';
import { quantile } from '../lib/statistics.ts';

export const coldStart: Question = {
  name: 'cold-start',
  title: 'How long does the first request of a function take?',
  meaning: `1,000 different functions of three sizes are deployed in one configuration. Then each is called over one
connection, one after the other. Compilation happens at deploy and is not in it. Before that one more function is called 5,000
times: what is asked is how cold a function is, not the engine's tiers for the server's own code. Twice:

- **without any instance**: so few instances are allowed (concurrency.max_workers) that no function has one, and each
  request makes its own and throws another function's away;
- **with a spare**: as configured out of the box but for the ceiling. After a deploy, threads make one instance of every
  function ahead, in turns of their event loop that nobody waits for, within 32 MiB.

"Server" is the time from the complete request to its written answer, from mayfly_request_duration_seconds (upper bounds of
its buckets), "making" the part of it that goes into the instance (mayfly_cold_start_seconds, mean); "client" is the whole
round trip, and the same round trip again, which without an instance is a cold start once more.`,
  run,
};

interface Calls {
  readonly size: number;
  readonly ms: number;
}

interface Setting {
  readonly label: string;
  readonly maxWorkers: number;
}

const SETTINGS: readonly Setting[] = [
  { label: 'without any instance', maxWorkers: 2 },
  { label: 'with a spare', maxWorkers: 20_000 },
];

interface Measured {
  readonly setting: Setting;
  readonly deployMs: number;
  readonly idleMB: number;
  readonly liveMB: number;
  readonly samples: readonly Sample[];
  readonly first: readonly Calls[];
  readonly again: readonly Calls[];
}

const sizeOf = (index: number): number => index % SIZES.length;

async function run({ quick, scratch, say }: RunOptions): Promise<Answer> {
  const count = quick ? 90 : 1000;
  const modules = await coldModules();
  const folder = shopFolder(scratch);
  const functions = Object.fromEntries(
    Array.from({ length: count }, (_, index) => {
      writeFileSync(join(folder, `f${index}.wasm`), coldVariant(modules[sizeOf(index)] as Buffer, index));
      return [`f${index}`, { source: `./f${index}.wasm`, routes: [{ path: `/f${index}`, auth: 'public' }] }];
    }),
  );
  writeFileSync(join(folder, 'warm.wasm'), coldVariant(modules[0] as Buffer, count));
  const warm = { source: './warm.wasm', routes: [{ path: '/warm', auth: 'public' }] };
  const measured: Measured[] = [];
  for (const setting of SETTINGS) {
    rmSync(join(folder, '.mayfly'), { recursive: true, force: true });
    measured.push(await measure(setting, count, folder, { functions: { ...functions, warm } }, say));
  }
  return {
    tables: measured.map(tableOf),
    charts: [
      {
        kind: 'bars',
        name: 'cold-start',
        title: 'First request of a function, seen by the client (p50)',
        unit: 'ms',
        bars: SIZES.flatMap(({ name }, size) => [
          ...measured.map(({ setting, first }) => ({
            label: `${name}, ${setting.label}`,
            value: clientMs(first, size, 0.5),
            highlight: true,
          })),
          { label: `${name}, again`, value: clientMs((measured.at(-1) as Measured).again, size, 0.5) },
        ]),
      },
    ],
    targets: measured.flatMap(({ setting, samples }) => {
      const all = serverHistogram(samples, 'mayfly_request_duration_seconds');
      return [
        atMost(`first response p50 ms, ${setting.label}`, 0.1, histogramQuantile(all, 0.5) * 1000, digits),
        atMost(`first response p99 ms, ${setting.label}`, 1, histogramQuantile(all, 0.99) * 1000, digits),
      ];
    }),
    raw: {
      count,
      settings: measured.map(({ samples, ...figures }) => ({ ...figures, rows: rowsOf(samples) })),
    },
  };
}

async function measure(
  setting: Setting,
  count: number,
  folder: string,
  config: Pick<MayflyConfig, 'functions'>,
  say: RunOptions['say'],
): Promise<Measured> {
  const start = performance.now();
  const sections = { concurrency: { max_workers: setting.maxWorkers } };
  const mayfly = await startMayfly(folder, { ...config, sections });
  const { server, port } = mayfly;
  // One connection, so one thread; a request apart from those that are measured opens it.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    await server.ready(async () => (await get(agent, port, '/warm')).status === 200, 600_000);
    const deployMs = performance.now() - start;
    say(`${count} functions are deployed after ${(deployMs / 1000).toFixed(1)} s`);
    for (let i = 0; i < 5000; i++) await get(agent, port, '/warm');
    const idleMB = server.memory().pssMB;
    const first = await callAll(agent, port, count);
    const samples = parseMetrics(await mayfly.metrics());
    const again = await callAll(agent, port, count);
    return { setting, deployMs, idleMB, liveMB: server.memory().pssMB, samples, first, again };
  } finally {
    agent.destroy();
    await server.stop();
  }
}

function tableOf({ setting, deployMs, idleMB, liveMB, samples, first, again }: Measured): Table {
  const count = first.length;
  return {
    title: `${count} functions ${setting.label}, deployed in ${(deployMs / 1000).toFixed(1)} s (${(deployMs / count).toFixed(1)} ms each)`,
    head: [
      'size',
      'instances made',
      'making, mean ms',
      'server p50 ≤ ms',
      'server p99 ≤ ms',
      'server mean ms',
      'client first p50 ms',
      'client first p99 ms',
      'client again p50 ms',
    ],
    rows: rowsOf(samples).map((row, size) => [
      row.name,
      row.made,
      ...[row.makingMean, row.serverP50, row.serverP99, row.serverMean].map(digits),
      ...[clientMs(first, size, 0.5), clientMs(first, size, 0.99), clientMs(again, size, 0.5)].map(digits),
    ]),
    note: `Memory (PSS): ${idleMB.toFixed(0)} MB before the first request, ${liveMB.toFixed(0)} MB after two of each.`,
  };
}

function rowsOf(samples: readonly Sample[]) {
  return SIZES.map(({ name }, size) => {
    const served = serverHistogram(samples, 'mayfly_request_duration_seconds', size);
    const making = serverHistogram(samples, 'mayfly_cold_start_seconds', size);
    return {
      name,
      made: making.count,
      makingMean: making.count === 0 ? 0 : (making.sum / making.count) * 1000,
      serverP50: histogramQuantile(served, 0.5) * 1000,
      serverP99: histogramQuantile(served, 0.99) * 1000,
      serverMean: (served.sum / served.count) * 1000,
    };
  });
}

/** Over the functions of one size, or all. */
function serverHistogram(samples: readonly Sample[], name: string, size?: number): Histogram {
  return histogramOf(samples, name, (labels) => {
    const index = /^f(\d+)$/.exec(labels['function'] ?? '')?.[1];
    return index !== undefined && (size === undefined || sizeOf(Number(index)) === size);
  });
}

function clientMs(calls: readonly Calls[], size: number, q: number): number {
  return quantile(
    calls.filter((call) => call.size === size).map(({ ms }) => ms),
    q,
  );
}

/** Calls every function once, in an order that mixes the sizes. Throws when one does not answer for itself. */
async function callAll(agent: Agent, port: number, count: number): Promise<Calls[]> {
  const calls: Calls[] = [];
  for (let index = 0; index < count; index++) {
    const start = performance.now();
    const { status, text } = await get(agent, port, `/f${index}`);
    calls.push({ size: sizeOf(index), ms: performance.now() - start });
    if (status !== 200 || !text.includes(`cold-${String(index).padStart(4, '0')}`)) {
      throw new Error(`Function f${index} answered ${status}: ${text}`);
    }
  }
  return calls;
}

function get(agent: Agent, port: number, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, agent, timeout: 10_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('timed out')));
    outgoing.on('error', reject);
    outgoing.end();
  });
}
