import { writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { coldModules, coldVariant, SIZES } from '../lib/cold-modules.ts';
import { shopFolder, startMayfly } from '../lib/mayfly.ts';
import { digits } from '../lib/markdown.ts';
import { histogramOf, histogramQuantile, parseMetrics } from '../lib/prometheus.ts';
import { type Answer, atMost, type Question, type RunOptions } from '../lib/question.ts';
import { quantile } from '../lib/statistics.ts';

export const coldStart: Question = {
  name: 'cold-start',
  title: 'How long does the first request of a function take?',
  meaning: `1,000 different functions of three sizes are deployed in one configuration. Then each is called over one
connection, one after the other: no instance of it exists on that thread. "Server" is the time to make the instance, from
the metric mayfly_cold_start_seconds (upper bounds of its buckets, of both threads); "client" is the whole round trip,
and the same round trip again once the instance exists. Compilation happens at deploy and is not in it.
Afterwards all 1,000 are called again and must answer.`,
  run,
};

interface Calls {
  readonly size: number;
  readonly ms: number;
}

async function run({ quick, scratch, say }: RunOptions): Promise<Answer> {
  const count = quick ? 90 : 1000;
  const modules = await coldModules();
  const folder = shopFolder(scratch);
  const sizeOf = (index: number): number => index % SIZES.length;
  const functions = Object.fromEntries(
    Array.from({ length: count }, (_, index) => {
      writeFileSync(join(folder, `f${index}.wasm`), coldVariant(modules[sizeOf(index)] as Buffer, index));
      return [`f${index}`, { source: `./f${index}.wasm`, routes: [{ path: `/f${index}`, auth: 'public' }] }];
    }),
  );
  const start = performance.now();
  const mayfly = await startMayfly(folder, { functions, sections: { concurrency: { max_workers: 20_000 } } });
  const { server, port } = mayfly;
  // One connection, so one thread; a request apart from those that are measured opens it.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    await server.ready(async () => (await get(agent, port, '/nothing')).status === 404, 600_000);
    const deployMs = performance.now() - start;
    const idleMB = server.memory().pssMB;
    say(`${count} functions are deployed after ${(deployMs / 1000).toFixed(1)} s`);
    for (let i = 0; i < 2000; i++) await get(agent, port, '/nothing');
    const first = await callAll(agent, port, count, sizeOf);
    const again = await callAll(agent, port, count, sizeOf);
    const liveMB = server.memory().pssMB;
    const samples = parseMetrics(await mayfly.metrics());
    const rows = SIZES.map(({ name }, size) => {
      const histogram = histogramOf(
        samples,
        'mayfly_cold_start_seconds',
        (labels) => sizeOf(Number((labels['function'] ?? '').slice(1))) === size,
      );
      const of = (calls: readonly Calls[], q: number): number =>
        quantile(
          calls.filter((call) => call.size === size).map(({ ms }) => ms),
          q,
        );
      return {
        name,
        bytes: (modules[size] as Buffer).length,
        starts: histogram.count,
        serverP50: histogramQuantile(histogram, 0.5) * 1000,
        serverP99: histogramQuantile(histogram, 0.99) * 1000,
        serverMean: (histogram.sum / histogram.count) * 1000,
        firstP50: of(first, 0.5),
        firstP99: of(first, 0.99),
        againP50: of(again, 0.5),
      };
    });
    const all = histogramOf(samples, 'mayfly_cold_start_seconds', () => true);
    const perFunctionKB = ((liveMB - idleMB) / count) * 1024;
    return {
      tables: [
        {
          title: `${count} functions, deployed in ${(deployMs / 1000).toFixed(1)} s (${(deployMs / count).toFixed(1)} ms each)`,
          head: [
            'size',
            'bytes',
            'cold starts',
            'server p50 ≤ ms',
            'server p99 ≤ ms',
            'server mean ms',
            'client first p50 ms',
            'client first p99 ms',
            'client again p50 ms',
          ],
          rows: rows.map((row) => [
            row.name,
            row.bytes,
            row.starts,
            ...[row.serverP50, row.serverP99, row.serverMean, row.firstP50, row.firstP99, row.againP50].map(
              digits,
            ),
          ]),
          note: `Memory (PSS): ${idleMB.toFixed(0)} MB after deploying, ${liveMB.toFixed(0)} MB with an instance of each; ${perFunctionKB.toFixed(0)} KB an instance with what its first call compiled.`,
        },
      ],
      charts: [
        {
          kind: 'bars',
          name: 'cold-start',
          title: 'First request of a function, seen by the client (p50)',
          unit: 'ms',
          bars: rows.flatMap((row) => [
            { label: `${row.name}, first`, value: row.firstP50, highlight: true },
            { label: `${row.name}, again`, value: row.againP50 },
          ]),
        },
      ],
      targets: [
        atMost('cold start p50 ms', 0.1, histogramQuantile(all, 0.5) * 1000, digits),
        atMost('cold start p99 ms', 1, histogramQuantile(all, 0.99) * 1000, digits),
      ],
      raw: { count, deployMs, idleMB, liveMB, rows, first, again },
    };
  } finally {
    agent.destroy();
    await server.stop();
  }
}

/** Calls every function once, in an order that mixes the sizes. Throws when one does not answer for itself. */
async function callAll(
  agent: Agent,
  port: number,
  count: number,
  sizeOf: (index: number) => number,
): Promise<Calls[]> {
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
