import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { OpenLoopOptions, PhaseResult } from '../lib/open-loop.ts';
import { wrk, wrkScript } from '../lib/load.ts';
import { shopFolder, startMayfly } from '../lib/mayfly.ts';
import { digits, thousands } from '../lib/markdown.ts';
import { type Answer, atLeast, atMost, type Question, type RunOptions } from '../lib/question.ts';
import { median } from '../lib/statistics.ts';
import { assemble } from '../lib/wat.ts';
import { prices } from '../lib/workload.ts';

const CLIENT = join(import.meta.dirname, '../lib/open-loop.ts');
const FACTORS = [1, 2, 5, 10];
const STEPS = 1_200_000;

/** A function that works for about a millisecond, so that one client can send ten times what the server carries. */
const WORKER = `(module
  (memory (export "memory") 2)
  (data (i32.const 0) "\\01\\00\\c8\\00\\00\\00\\00\\00\\00\\00\\00\\00\\02\\00\\00\\00ok")
  (func (export "alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "handle") (param i32 i32) (result i64)
    (local $i i32)
    (local.set $i (i32.const ${STEPS}))
    (loop $work
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (br_if $work (local.get $i)))
    (i64.const 18)))`;

export const overload: Question = {
  name: 'overload',
  title: 'What happens when more comes than it can carry?',
  meaning: `An open loop in a process of its own sends requests at 1, 2, 5 and 10 times the measured capacity, whatever the
server does; latency counts from when a request was due. The function works for about a millisecond, so that the
client can send ten times the capacity on the same machine; "client late" is how far the client itself lagged behind,
which is part of every latency. "Unsent": all of the client's 2,000 connections were waiting for an answer. Capacity is measured closed-loop with the client's share of
the two cores taken off, so the best goodput of the open loop is what the others are compared with. Recovery: after the
flood half of the capacity comes; how long until a window of 100 ms has every answer good and p99 < 20 ms.`,
  run,
};

interface Flood {
  readonly factor: number;
  readonly rate: number;
  readonly flood: PhaseResult;
  readonly recoveryMs: number;
  readonly rssMB: number;
}

async function run({ quick, scratch, say }: RunOptions): Promise<Answer> {
  const folder = shopFolder(scratch);
  writeFileSync(join(folder, 'worker.wasm'), await assemble(WORKER));
  const mayfly = await startMayfly(folder, {
    functions: {
      worker: {
        source: './worker.wasm',
        routes: [{ path: '/work', auth: 'public' }],
        max_concurrent_requests: 64,
        queue_size: 256,
        worker_timeout: '15ms',
      },
    },
  });
  try {
    await mayfly.server.ready(() => prices({ port: mayfly.port, path: '/work', token: null, expect: 'ok' }));
    const script = wrkScript(join(scratch, 'work.lua'), [{ path: '/work', body: 'x', headers: {} }]);
    const load = (seconds: number) => wrk(mayfly.port, '/work', { connections: 16, seconds, script });
    await load(2);
    const capacity = (await load(quick ? 2 : 5)).requestsPerSecond;
    const idleMB = mayfly.server.memory().rssMB;
    say(`capacity ${thousands(capacity)}`);
    const floods: Flood[] = [];
    for (let round = 0; round < (quick ? 1 : 5); round++) {
      for (const factor of FACTORS) {
        const rate = capacity * factor;
        const flooding = openLoop({
          port: mayfly.port,
          path: '/work',
          maxConnections: 2000,
          phases: [
            { requestsPerSecond: rate, seconds: quick ? 2 : 5 },
            { requestsPerSecond: capacity / 2, seconds: 2 },
          ],
        });
        let rssMB = 0;
        const watch = setInterval(() => (rssMB = Math.max(rssMB, mayfly.server.memory().rssMB)), 200);
        const [flood, after] = await flooding.finally(() => clearInterval(watch));
        if (flood === undefined || after === undefined) throw new Error('The open loop gave no result');
        const recovered = after.windows.findIndex(({ good, bad, p99 }) => good > 0 && bad === 0 && p99 < 20);
        const recoveryMs = recovered < 0 ? Number.POSITIVE_INFINITY : recovered * 100;
        floods.push({ factor, rate, flood, recoveryMs, rssMB });
        say(
          `${factor}x: ${flood.good} good, ${flood.refused} refused, ${flood.failed} failed, ${flood.unsent} unsent of ${flood.due}`,
        );
        await sleep(300);
      }
    }
    return answerOf(capacity, idleMB, floods, quick ? 2 : 5);
  } finally {
    await mayfly.server.stop();
  }
}

async function openLoop(options: OpenLoopOptions): Promise<PhaseResult[]> {
  const seconds = options.phases.reduce((total, phase) => total + phase.seconds, 0);
  const { stdout } = await promisify(execFile)(process.execPath, [CLIENT, JSON.stringify(options)], {
    timeout: (seconds + 20) * 1000,
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 26,
  });
  return JSON.parse(stdout) as PhaseResult[];
}

function answerOf(capacity: number, idleMB: number, floods: readonly Flood[], seconds: number): Answer {
  const by = (factor: number, pick: (flood: Flood) => number): number =>
    median(floods.filter((flood) => flood.factor === factor).map(pick));
  const goodput = (factor: number): number => by(factor, ({ flood }) => flood.good / seconds);
  const best = Math.max(...FACTORS.map(goodput));
  const over = FACTORS.filter((factor) => factor > 1);
  const worst = (pick: (flood: Flood) => number): number =>
    Math.max(...over.map((factor) => by(factor, pick)));
  const percent = (value: number): string => `${(value * 100).toFixed(0)} %`;
  return {
    tables: [
      {
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
          'client late p99 ms',
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
          digits(by(factor, ({ flood }) => flood.lateMs.p99)),
          by(factor, ({ rssMB }) => rssMB).toFixed(0),
          by(factor, ({ recoveryMs }) => recoveryMs).toFixed(0),
        ]),
        note: `RSS before: ${idleMB.toFixed(0)} MB.`,
      },
    ],
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
    raw: { capacity, floods },
  };
}
