/** `mayfly operator` as a process of its own, and what it costs. Linux only: figures come from /proc. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { findAccess } from '../../src/kubernetes/cluster/kubeconfig.ts';
import type { RequestCounts } from './count-requests.ts';

const PROGRAM = join(import.meta.dirname, '../../bin/mayfly.js');
const ANSWER_MS = 10_000;
const COUNT_REQUESTS = join(import.meta.dirname, 'count-requests.ts');

export interface StepCost {
  readonly step: string;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Its requests to the API server, as count-requests.ts sees them leave. */
  readonly requests: RequestCounts;
  readonly residentMiB: number;
}

export class OperatorProcess implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when it knows all functions of the cluster. */
  static async start(kubeconfig: string): Promise<OperatorProcess> {
    const loopback = ['--host', '127.0.0.1', '--port', '0', '--demand-port', '0', '--scaler-port', '0'];
    const flags = ['operator', '--kubeconfig', kubeconfig, ...loopback];
    const child = spawn(process.execPath, ['--import', COUNT_REQUESTS, PROGRAM, ...flags], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      env: { ...process.env, MAYFLY_BENCH_API_SERVER: findAccess({ env: {}, file: kubeconfig }).server },
    });
    const { stdout } = child;
    if (stdout === null || !(await says(stdout, 'all functions are known')))
      throw new Error('the operator ended before it knew the functions');
    stdout.resume();
    return new OperatorProcess(child);
  }

  async cost(step: string, work: () => Promise<unknown>): Promise<StepCost> {
    const [begun, cpu, before] = [performance.now(), this.#cpuSeconds(), await this.requests()];
    await work();
    const [seconds, after] = [(performance.now() - begun) / 1000, await this.requests()];
    return {
      step,
      seconds,
      cpuSeconds: this.#cpuSeconds() - cpu,
      requests: {
        reads: after.reads - before.reads,
        watches: after.watches - before.watches,
        writes: after.writes - before.writes,
        lease: after.lease - before.lease,
      },
      residentMiB: this.#residentMiB(),
    };
  }

  /** So far. */
  async requests(): Promise<RequestCounts> {
    const told = once(this.#child, 'message', { signal: AbortSignal.timeout(ANSWER_MS) });
    this.#child.send('count');
    const [counts] = (await told) as [RequestCounts];
    return counts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill('SIGTERM');
    await once(this.#child, 'exit');
  }

  /** Linux counts in hundredths of a second. */
  #cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  #residentMiB(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
  }
}

async function says(output: Readable, words: string): Promise<boolean> {
  for await (const line of createInterface(output)) if (line.includes(words)) return true;
  return false;
}
