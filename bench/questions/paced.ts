import { capacityOf, startShop } from '../lib/capacity.ts';
import { ohaProgram } from '../lib/oha-program.ts';
import { h2load, type LoadResult, medianLoad, oha } from '../lib/load.ts';
import { digits, type Table, thousands } from '../lib/markdown.ts';
import { type Answer, atMost, type Question, type RunOptions, type Target } from '../lib/question.ts';

const SHARES = [0.25, 0.5, 0.75, 0.9];
const CONNECTIONS = 64;
/** What oha holds beside a server on two cores. */
const OHA_RATES = [5000, 10_000, 20_000];

export const paced: Question = {
  name: 'paced',
  title: 'How long does a request take at a given rate?',
  meaning: `The capacity is measured first (wrk, closed loop), then h2load sends the shop's order at a constant rate, a
fraction of it. Rates take turns; figures are medians of the rounds. h2load waits on each connection for an answer
before it sends the next request there, so a stall hides requests that would have come meanwhile; oha corrects for that
(coordinated omission) and is shown up to the rate that it can hold on the same two cores.`,
  run,
};

async function run(options: RunOptions): Promise<Answer> {
  const { quick, scratch, say } = options;
  const shop = await startShop(options);
  try {
    const capacity = await capacityOf(shop, options);
    say(`capacity ${thousands(capacity)}`);
    const seconds = quick ? 2 : 8;
    const runs = SHARES.map((): LoadResult[] => []);
    for (let round = 0; round < (quick ? 1 : 5); round++) {
      for (const [index, share] of SHARES.entries()) {
        const rate = capacity * share;
        const paceOptions = { connections: CONNECTIONS, seconds, requestsPerSecond: rate, scratch };
        const result = await h2load(shop.target, paceOptions);
        (runs[index] as LoadResult[]).push(result);
        say(`round ${round + 1}, ${share * 100} %: p99 ${digits(result.p99Ms)} ms`);
      }
    }
    const corrected: { rate: number; result: LoadResult }[] = [];
    const program = await ohaProgram(quick);
    if ('path' in program) {
      for (const rate of OHA_RATES.filter((one) => one <= capacity * 0.5)) {
        const pace = { connections: CONNECTIONS, seconds, requestsPerSecond: rate, scratch };
        corrected.push({ rate, result: await oha(program.path, shop.target, pace) });
      }
    }
    const medians = runs.map(medianLoad);
    return {
      tables: [
        pacedTable(capacity, medians),
        ohaTable(corrected, 'missing' in program ? program.missing : null),
      ],
      charts: [
        {
          kind: 'lines',
          name: 'paced',
          title: 'Latency at a constant rate (h2load)',
          x: 'requests per second',
          y: 'ms',
          logarithmic: true,
          lines: (['p50Ms', 'p99Ms', 'p999Ms'] as const).map((key) => ({
            label: { p50Ms: 'p50', p99Ms: 'p99', p999Ms: 'p99.9' }[key],
            points: medians.map((load) => [load.requestsPerSecond, load[key]] as const),
          })),
        },
      ],
      targets: latencyTargets(medians, capacity),
      raw: { capacity, shares: SHARES, runs, corrected },
    };
  } finally {
    await shop.server.stop();
  }
}

function pacedTable(capacity: number, medians: readonly LoadResult[]): Table {
  return {
    title: `h2load, ${CONNECTIONS} connections, of a capacity of ${thousands(capacity)}/s`,
    head: ['of capacity', 'asked for', 'sent', 'p50 ms', 'p99 ms', 'p99.9 ms', 'max ms', 'errors'],
    rows: medians.map((load, index) => [
      `${(SHARES[index] as number) * 100} %`,
      thousands(capacity * (SHARES[index] as number)),
      thousands(load.requestsPerSecond),
      ...[load.p50Ms, load.p99Ms, load.p999Ms, load.maxMs].map(digits),
      load.errors,
    ]),
  };
}

function ohaTable(corrected: readonly { rate: number; result: LoadResult }[], missing: string | null): Table {
  return {
    title: 'oha, corrected for coordinated omission',
    head: ['asked for', 'sent', 'p50 ms', 'p99 ms', 'p99.9 ms', 'max ms', 'errors'],
    rows: corrected.map(({ rate, result }) => [
      thousands(rate),
      thousands(result.requestsPerSecond),
      ...[result.p50Ms, result.p99Ms, result.p999Ms, result.maxMs].map(digits),
      result.errors,
    ]),
    ...(missing !== null && { note: `Not measured: ${missing}.` }),
  };
}

/** The shop's P50 < 10, P99 < 20, P999 < 50 ms, at the highest rate that was really sent. */
function latencyTargets(medians: readonly LoadResult[], capacity: number): Target[] {
  const sent = medians.findLastIndex(
    (load, index) => load.requestsPerSecond > capacity * (SHARES[index] as number) * 0.98,
  );
  const load = medians[sent];
  if (load === undefined) return [];
  const at = `at ${(SHARES[sent] as number) * 100} % of capacity (${thousands(load.requestsPerSecond)}/s)`;
  return [
    atMost(`p50 ms ${at}`, 10, load.p50Ms, digits),
    atMost(`p99 ms ${at}`, 20, load.p99Ms, digits),
    atMost(`p99.9 ms ${at}`, 50, load.p999Ms, digits),
  ];
}
