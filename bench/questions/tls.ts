import { join } from 'node:path';
import { startShop } from '../lib/capacity.ts';
import { h2load, type H2loadOptions, type LoadResult, medianLoad, type Target } from '../lib/load.ts';
import { digits, thousands } from '../lib/markdown.ts';
import { freePort, type Server } from '../lib/process.ts';
import type { Answer, Question, RunOptions } from '../lib/question.ts';
import { median, range } from '../lib/statistics.ts';

const CERTIFICATES = join(import.meta.dirname, '../../test/fixtures/tls');
const CONNECTIONS = 64;

export const tls: Question = {
  name: 'tls',
  title: 'What do TLS and HTTP/2 cost?',
  meaning: `The shop on its second listener, where Node's own modules speak TLS and HTTP/2, beside the first one, which is
Mayfly's own. ${CONNECTIONS} connections from h2load, as fast as the server answers (closed loop: latencies are those at
saturation; encryption costs the generator as much as the server). Connections stay open: a run has one handshake for
each, which is a small part of it. Medians of alternating rounds with the slowest and the fastest. Reported, not promised: whoever needs the rates
of the first listener ends TLS in front of it.`,
  run,
};

/** What was measured over one protocol, one entry a round. */
interface Series {
  readonly name: string;
  readonly secure: boolean;
  readonly how: Pick<H2loadOptions, 'protocol' | 'streams'>;
  readonly loads: LoadResult[];
  readonly cpuMicroseconds: number[];
}

async function run(options: RunOptions): Promise<Answer> {
  const { quick, scratch, say } = options;
  const securePort = await freePort();
  const certificate = join(CERTIFICATES, 'certificate.pem');
  const key = join(CERTIFICATES, 'key.pem');
  const shop = await startShop(options, {
    sections: { server: { tls: { certificate, key, port: securePort } } },
  });
  const all = [
    series('HTTP/1.1', false, {}),
    series('HTTP/1.1 over TLS', true, {}),
    series('HTTP/2 over TLS, 1 stream', true, { protocol: 'h2' }),
    series('HTTP/2 over TLS, 10 streams', true, { protocol: 'h2', streams: 10 }),
  ];
  try {
    const load = ({ secure, how }: Series, seconds: number): Promise<LoadResult> => {
      const target: Target = secure ? { ...shop.target, port: securePort, secure } : shop.target;
      return h2load(target, { ...how, connections: CONNECTIONS, seconds, requestsPerSecond: null, scratch });
    };
    for (const one of all) await load(one, quick ? 2 : 4);
    for (let round = 1; round <= (quick ? 1 : 5); round++) {
      for (const one of all) await measure(one, shop.server, () => load(one, quick ? 3 : 8));
      const rates = all.map(
        ({ name, loads }) => `${name} ${thousands(loads.at(-1)?.requestsPerSecond ?? 0)}`,
      );
      say(`round ${round}: ${rates.join(', ')}`);
    }
  } finally {
    await shop.server.stop();
  }
  return answerOf(all);
}

function series(name: string, secure: boolean, how: Series['how']): Series {
  return { name, secure, how, loads: [], cpuMicroseconds: [] };
}

async function measure(one: Series, server: Server, load: () => Promise<LoadResult>): Promise<void> {
  const before = server.cpuSeconds();
  const result = await load();
  one.loads.push(result);
  one.cpuMicroseconds.push(((server.cpuSeconds() - before) / result.requests) * 1e6);
}

function answerOf(all: readonly Series[]): Answer {
  const rows = all.map(({ name, loads, cpuMicroseconds }) => ({
    name,
    load: medianLoad(loads),
    spread: range(loads.map(({ requestsPerSecond }) => requestsPerSecond)),
    cpu: median(cpuMicroseconds),
  }));
  return {
    tables: [
      {
        title: `${CONNECTIONS} connections`,
        head: ['protocol', 'requests/s', 'spread', 'p50 ms', 'p99 ms', 'CPU µs', 'errors'],
        rows: rows.map(({ name, load, spread, cpu }) => [
          name,
          thousands(load.requestsPerSecond),
          spread.map(thousands).join('–'),
          digits(load.p50Ms),
          digits(load.p99Ms),
          digits(cpu),
          load.errors,
        ]),
      },
    ],
    charts: [
      {
        kind: 'bars',
        name: 'tls',
        title: 'Requests per second by protocol, 64 connections',
        unit: 'requests/s',
        bars: rows.map(({ name, load, spread }) => ({
          label: name,
          value: load.requestsPerSecond,
          low: spread[0],
          high: spread[1],
        })),
      },
    ],
    targets: [],
    raw: all.map(({ name, loads, cpuMicroseconds }) => ({ name, loads, cpuMicroseconds })),
  };
}
