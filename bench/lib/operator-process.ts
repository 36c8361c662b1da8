/** `mayfly operator` as a process of its own, and what it costs. Linux only: figures come from /proc. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const PROGRAM = join(import.meta.dirname, '../../bin/mayfly.js');

export interface StepCost {
  readonly step: string;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Writes to the API server: the operator reads by watches, which stay open. */
  readonly writes: number;
  readonly residentMiB: number;
}

export class OperatorProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #port: string;

  private constructor(child: ChildProcess, port: string) {
    this.#child = child;
    this.#port = port;
  }

  /** Resolves when it knows all functions of the cluster. */
  static async start(kubeconfig: string): Promise<OperatorProcess> {
    const loopback = ['--host', '127.0.0.1', '--port', '0', '--demand-port', '0', '--scaler-port', '0'];
    const flags = ['operator', '--kubeconfig', kubeconfig, ...loopback];
    const child = spawn(process.execPath, [PROGRAM, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
    let port = '';
    for await (const line of createInterface(child.stdout)) {
      port ||= /"metrics":(\d+)/.exec(line)?.[1] ?? '';
      if (line.includes('all functions are known')) break;
    }
    if (port === '') throw new Error('the operator ended before it knew the functions');
    child.stdout.resume();
    return new OperatorProcess(child, port);
  }

  async cost(step: string, work: () => Promise<unknown>): Promise<StepCost> {
    const [begun, cpu, writes] = [performance.now(), this.#cpuSeconds(), await this.writes()];
    await work();
    return {
      step,
      seconds: (performance.now() - begun) / 1000,
      cpuSeconds: this.#cpuSeconds() - cpu,
      writes: (await this.writes()) - writes,
      residentMiB: this.#residentMiB(),
    };
  }

  /** So far. */
  async writes(): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.#port}/metrics`)).text();
    return [...text.matchAll(/^mayfly_operator_writes_total\{.*\} (\d+)$/gm)].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    );
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
