/** Which machine, which software, when: a figure without them means nothing. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';

export interface Machine {
  readonly date: string;
  readonly commit: string;
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly v8: string;
}

export function describeMachine(): Machine {
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    commit: commitOf(),
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.versions.node,
    v8: process.versions.v8,
  };
}

export function machineLine(machine: Machine): string {
  const { date, commit, cores, cpu, memoryGiB, kernel, node, v8 } = machine;
  return `${date} UTC, commit ${commit}; ${cores} cores of ${cpu}, ${memoryGiB} GiB, Linux ${kernel}, Node ${node} (V8 ${v8})`;
}

/** The commit of the working tree, with a `+` when it has changes that no commit holds. */
function commitOf(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  try {
    return (
      git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '-uno', '../..') === '' ? '' : '+')
    );
  } catch {
    return 'unknown';
  }
}

/** Ticks of 10 ms that all cores together have been busy since the machine started. */
export function busyTicks(): number {
  const [, user, nice, system, , , irq, softirq, steal] = (
    readFileSync('/proc/stat', 'utf8').split('\n')[0] as string
  )
    .split(/\s+/)
    .map(Number) as number[];
  return (user ?? 0) + (nice ?? 0) + (system ?? 0) + (irq ?? 0) + (softirq ?? 0) + (steal ?? 0);
}
