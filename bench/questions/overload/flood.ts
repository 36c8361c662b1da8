/** The open loop: a function of about a millisecond gets a multiple of what it carries. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Cores } from '../../lib/cores.ts';
import { wrk, wrkScript } from '../../lib/load.ts';
import { type RunningMayfly, shopFolder, startMayfly } from '../../lib/mayfly.ts';
import { thousands } from '../../lib/markdown.ts';
import type { OpenLoopOptions, PhaseResult } from '../../lib/open-loop.ts';
import type { RunOptions } from '../../lib/question.ts';
import { assemble } from '../../lib/wat.ts';
import { prices } from '../../lib/workload.ts';

const CLIENT = join(import.meta.dirname, '../../lib/open-loop.ts');
export const FACTORS = [1, 2, 5, 10];
/** A bit less than a millisecond on a core of 2024. */
const STEPS = 1_000_000;
const CONNECTIONS = 2000;

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

export interface Flood {
  readonly factor: number;
  readonly rate: number;
  readonly flood: PhaseResult;
  readonly recoveryMs: number;
  readonly rssMB: number;
}

export interface Floods {
  readonly capacity: number;
  readonly idleMB: number;
  readonly seconds: number;
  readonly floods: readonly Flood[];
}

export async function floodWorker(options: RunOptions, cores: Cores): Promise<Floods> {
  const { quick, scratch, say } = options;
  const folder = shopFolder(scratch, 'worker');
  writeFileSync(join(folder, 'worker.wasm'), await assemble(WORKER));
  const worker = { source: './worker.wasm', routes: [{ path: '/work', auth: 'public' }] };
  const mayfly = await startMayfly(folder, { functions: { worker } }, { threads: 1, prefix: cores.server });
  try {
    await mayfly.server.ready(() => prices({ port: mayfly.port, path: '/work', token: null, expect: 'ok' }));
    const capacity = await capacityOf(mayfly, options, cores);
    const idleMB = mayfly.server.memory().rssMB;
    say(`a core carries ${thousands(capacity)}/s`);
    const seconds = quick ? 3 : 10;
    const floods: Flood[] = [];
    for (let round = 0; round < (quick ? 1 : 5); round++) {
      for (const factor of FACTORS) {
        floods.push(await flood(mayfly, capacity, factor, seconds, cores));
        const { good, refused, failed, unsent, due } = (floods.at(-1) as Flood).flood;
        say(`${factor}x: ${good} good, ${refused} refused, ${failed} failed, ${unsent} unsent of ${due}`);
        await sleep(300);
      }
    }
    return { capacity, idleMB, seconds, floods };
  } finally {
    await mayfly.server.stop();
  }
}

/** Few connections: as many as keep the thread busy, and none that would have to wait for long. */
async function capacityOf(mayfly: RunningMayfly, { quick, scratch }: RunOptions, cores: Cores) {
  const script = wrkScript(join(scratch, 'work.lua'), [{ path: '/work', body: 'x', headers: {} }]);
  const load = (seconds: number) =>
    wrk(mayfly.port, '/work', { connections: 4, seconds, script, prefix: cores.client });
  await load(2);
  return (await load(quick ? 2 : 5)).requestsPerSecond;
}

async function flood(
  { server, port }: RunningMayfly,
  capacity: number,
  factor: number,
  seconds: number,
  cores: Cores,
): Promise<Flood> {
  const rate = capacity * factor;
  const phases = [
    { requestsPerSecond: rate, seconds },
    { requestsPerSecond: capacity / 2, seconds: 2 },
  ];
  let rssMB = 0;
  const watch = setInterval(() => (rssMB = Math.max(rssMB, server.memory().rssMB)), 200);
  const flooding = openLoop({ port, path: '/work', connections: CONNECTIONS, phases }, cores);
  const [during, after] = await flooding.finally(() => clearInterval(watch));
  if (during === undefined || after === undefined) throw new Error('The open loop gave no result');
  const recovered = after.windows.findIndex(({ good, bad, p99 }) => good > 0 && bad === 0 && p99 < 20);
  const recoveryMs = recovered < 0 ? Number.POSITIVE_INFINITY : recovered * 100;
  return { factor, rate, flood: during, recoveryMs, rssMB };
}

async function openLoop(options: OpenLoopOptions, cores: Cores): Promise<PhaseResult[]> {
  const seconds = options.phases.reduce((total, phase) => total + phase.seconds, 0);
  const command = [...cores.client, process.execPath, CLIENT, JSON.stringify(options)];
  const { stdout } = await promisify(execFile)(command[0] as string, command.slice(1), {
    timeout: (seconds + 20) * 1000,
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 26,
  });
  return JSON.parse(stdout) as PhaseResult[];
}
