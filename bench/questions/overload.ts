import { apart, type Cores } from '../lib/cores.ts';
import { medianLoad } from '../lib/load.ts';
import { digits, type Table, thousands } from '../lib/markdown.ts';
import { type Answer, atLeast, atMost, type Question, type RunOptions } from '../lib/question.ts';
import { median } from '../lib/statistics.ts';
import { type Crowd, CROWDS, crowdShop } from './overload/crowd.ts';
import { FACTORS, type Flood, type Floods, floodWorker } from './overload/flood.ts';

export const overload: Question = {
  name: 'overload',
  title: 'What happens when more comes than it can carry?',
  meaning: `A server with one data-plane thread has one core, its client the other: the flood does not take what it floods.

**Open loop.** Requests to a function that works for about a millisecond are due at 1, 2, 5 and 10 times the measured
capacity, whatever the server does; latency counts from when a request was due, so how late the client itself was
("client late") is a part of it. "Unsent": all of the client's 2,000 connections were waiting for an answer. Recovery:
after the flood half of the capacity comes; how long until a window of 100 ms has every answer good and p99 < 20 ms.

**Crowd.** The shop's function costs about as much as a refusal would, so no client can send a multiple of what the server
carries: what grows is the number of connections that wait (wrk, closed loop). wrk opens them within the measured time: waiting to
be accepted, up to sixteen a turn of a thread's event loop, is a part of p99. "Beside": a few other clients ask at a constant rate
meanwhile (h2load), and wait in the same line.`,
  run,
};

async function run(options: RunOptions): Promise<Answer> {
  const cores = apart();
  const floods = await floodWorker(options, cores);
  const crowds = await crowdShop(options, cores);
  return answerOf(floods, crowds, cores);
}

function answerOf(result: Floods, crowds: readonly Crowd[], cores: Cores): Answer {
  const { floods, seconds } = result;
  const by = (factor: number, pick: (flood: Flood) => number): number =>
    median(floods.filter((flood) => flood.factor === factor).map(pick));
  const goodput = (factor: number): number => by(factor, ({ flood }) => flood.good / seconds);
  const best = Math.max(...FACTORS.map(goodput));
  const over = FACTORS.filter((factor) => factor > 1);
  const worst = (pick: (flood: Flood) => number): number =>
    Math.max(...over.map((factor) => by(factor, pick)));
  return {
    tables: [floodTable(result, by, goodput, best, cores), crowdTable(crowds)],
    charts: [
      {
        kind: 'lines',
        name: 'overload',
        title: 'Goodput under overload',
        x: 'load, times the capacity',
        y: 'good answers per second',
        lines: [{ label: 'goodput', points: FACTORS.map((factor) => [factor, goodput(factor)] as const) }],
      },
    ],
    targets: [
      atLeast('goodput at 2x to 10x, of the best', 0.85, Math.min(...over.map(goodput)) / best, percent),
      atMost(
        'p99 ms of what is admitted',
        20,
        worst(({ flood }) => flood.goodMs.p99),
        digits,
      ),
      atMost(
        'p99 ms to a refusal',
        5,
        worst(({ flood }) => flood.refusedMs.p99),
        digits,
      ),
      atMost(
        'ms to recover',
        1000,
        worst(({ recoveryMs }) => recoveryMs),
        digits,
      ),
    ],
    raw: { ...result, crowds, cores },
  };
}

function floodTable(
  { capacity, idleMB }: Floods,
  by: (factor: number, pick: (flood: Flood) => number) => number,
  goodput: (factor: number) => number,
  best: number,
  { areApart }: Cores,
): Table {
  return {
    title: `Open loop against a capacity of ${thousands(capacity)}/s`,
    head: [
      'load',
      'due/s',
      'good/s',
      'of the best',
      'admitted p50 ms',
      'p99 ms',
      'refused',
      'refusal p50 ms',
      'p99 ms',
      'failed',
      'unsent',
      'client late p50 ms',
      'p99 ms',
      'RSS MB',
      'recovered after ms',
    ],
    rows: FACTORS.map((factor) => [
      `${factor}x`,
      thousands(capacity * factor),
      thousands(goodput(factor)),
      percent(goodput(factor) / best),
      digits(by(factor, ({ flood }) => flood.goodMs.p50)),
      digits(by(factor, ({ flood }) => flood.goodMs.p99)),
      percent(by(factor, ({ flood }) => flood.refused / flood.due)),
      digits(by(factor, ({ flood }) => flood.refusedMs.p50)),
      digits(by(factor, ({ flood }) => flood.refusedMs.p99)),
      by(factor, ({ flood }) => flood.failed),
      percent(by(factor, ({ flood }) => flood.unsent / flood.due)),
      digits(by(factor, ({ flood }) => flood.lateMs.p50)),
      digits(by(factor, ({ flood }) => flood.lateMs.p99)),
      by(factor, ({ rssMB }) => rssMB).toFixed(0),
      by(factor, ({ recoveryMs }) => recoveryMs).toFixed(0),
    ]),
    note:
      `RSS before: ${idleMB.toFixed(0)} MB.` +
      (areApart ? '' : ' Server and client could not be kept on cores of their own here: they shared them.'),
  };
}

function crowdTable(crowds: readonly Crowd[]): Table {
  return {
    title: "Crowds at the shop's function",
    head: ['connections', 'answers/s', 'p50 ms', 'p99 ms', 'refused', 'beside: p50 ms', 'p99 ms', 'refused'],
    rows: CROWDS.map((connections) => {
      const same = crowds.filter((crowd) => crowd.connections === connections);
      const load = medianLoad(same.map((crowd) => crowd.load));
      const probe = medianLoad(same.map((crowd) => crowd.probe));
      return [
        connections,
        thousands(load.requestsPerSecond),
        digits(load.p50Ms),
        digits(load.p99Ms),
        load.errors,
        digits(probe.p50Ms),
        digits(probe.p99Ms),
        probe.errors,
      ];
    }),
  };
}

function percent(value: number): string {
  return `${(value * 100).toFixed(0)} %`;
}
