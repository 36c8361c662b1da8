import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { STAGES } from '../../src/observability/definitions.ts';
import { capacityOf, startShop } from '../lib/capacity.ts';
import { h2load, type Target } from '../lib/load.ts';
import { thousands } from '../lib/markdown.ts';
import type { Server } from '../lib/process.ts';
import {
  type Histogram,
  histogramGrowth,
  histogramOf,
  parseMetrics,
  trimmedMean,
} from '../lib/prometheus.ts';
import { type Answer, atMost, type Question, type RunOptions } from '../lib/question.ts';
import { median, sum } from '../lib/statistics.ts';
import { prices } from '../lib/workload.ts';
import { onPort } from '../peers/peer.ts';

const FRONT = join(import.meta.dirname, '../peers/front-only.ts');
const SMALL_STEPS = join(import.meta.dirname, '../stages.ts');
const SHARE = 0.4;
/** The slowest 2 % of the sampled times are left out: other threads ran in the middle of them. */
const UNINTERRUPTED = 0.98;

export const stages: Question = {
  name: 'stages',
  title: 'Where does the time of a request go?',
  meaning: `The shop at ${SHARE * 100} % of its capacity (h2load), where threads are seldom interrupted. Stages come from the
metric mayfly_stage_duration_seconds: mean wall time of the sampled requests,
without the slowest 2 %, in which the thread was interrupted. Network, event loop and parser are the CPU
time of Mayfly's front alone under the same load, with a constant answer of the same size. Together they must be the CPU
time of the whole server per request, within 15 %. Below: what the small steps cost by themselves in a loop.`,
  run,
};

async function run(options: RunOptions): Promise<Answer> {
  const { quick, scratch, say } = options;
  const shop = await startShop(options);
  const front = await onPort(scratch, 'front-only', [process.execPath, FRONT]);
  try {
    await front.server.ready(() => prices({ port: front.port, path: '/', token: null }));
    const rate = (await capacityOf(shop, options)) * SHARE;
    const seconds = quick ? 2 : 6;
    const load = (target: Target, duration: number) =>
      h2load(target, { connections: 64, seconds: duration, requestsPerSecond: rate, scratch });
    const frontTarget = { ...shop.target, port: front.port };
    await load(frontTarget, 3);
    const rounds: { stages: number[]; front: number; whole: number }[] = [];
    for (let round = 0; round < (quick ? 1 : 5); round++) {
      const before = stageTimes(await shop.metrics());
      const whole = await cpuOf(shop.server, () => load(shop.target, seconds));
      const after = stageTimes(await shop.metrics());
      const alone = await cpuOf(front.server, () => load(frontTarget, seconds));
      const means = before.map(
        (earlier, stage) =>
          trimmedMean(histogramGrowth(earlier, after[stage] as Histogram), UNINTERRUPTED) * 1e9,
      );
      rounds.push({ stages: means, front: alone, whole });
      say(`round ${round + 1}: front ${alone.toFixed(0)} ns, whole ${whole.toFixed(0)} ns`);
    }
    const parts = [
      { name: 'network, event loop, parser', ns: median(rounds.map((round) => round.front)) },
      ...STAGES.slice(1).map((name, index) => ({
        name,
        ns: median(rounds.map((round) => round.stages[index + 1] as number)),
      })),
    ];
    const total = sum(parts.map(({ ns }) => ns));
    const whole = median(rounds.map((round) => round.whole));
    const steps = await promisify(execFile)(process.execPath, [SMALL_STEPS], {
      timeout: 120_000,
      killSignal: 'SIGKILL',
    });
    return {
      tables: [
        {
          title: `One request at ${thousands(rate)}/s`,
          head: ['part', 'ns', 'share'],
          rows: [
            ...parts.map(({ name, ns }) => [name, ns.toFixed(0), `${((ns / whole) * 100).toFixed(0)} %`]),
            ['together', total.toFixed(0), `${((total / whole) * 100).toFixed(0)} %`],
            ['CPU of the server', whole.toFixed(0), '100 %'],
          ],
        },
      ],
      charts: [
        {
          kind: 'bars',
          name: 'stages',
          title: 'Time of a request by part',
          unit: 'ns',
          bars: parts.map(({ name, ns }) => ({ label: name, value: ns, highlight: name === 'invoke' })),
        },
      ],
      targets: [
        atMost(
          'difference of the sum from the CPU time',
          0.15,
          Math.abs(total / whole - 1),
          (value) => `${(value * 100).toFixed(0)} %`,
        ),
      ],
      markdown: steps.stdout.trim(),
      raw: { rate, rounds, steps: steps.stdout },
    };
  } finally {
    await Promise.all([shop.server.stop(), front.server.stop()]);
  }
}

function stageTimes(metrics: string): Histogram[] {
  const samples = parseMetrics(metrics);
  return STAGES.map((name) =>
    histogramOf(samples, 'mayfly_stage_duration_seconds', (labels) => labels['stage'] === name),
  );
}

/** CPU nanoseconds of the server per request of the load. */
async function cpuOf(server: Server, load: () => Promise<{ requests: number }>): Promise<number> {
  const before = server.cpuSeconds();
  const { requests } = await load();
  return ((server.cpuSeconds() - before) / requests) * 1e9;
}
