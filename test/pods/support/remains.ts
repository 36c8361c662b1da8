/** What a test node may leave on the machine, and its removal when the process that made it is gone. */
import { globSync, readFileSync, readdirSync, rmSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const PREFIX = 'mayfly-pods-';

/** Names a node after the process that makes it. */
export const namePrefix = `${PREFIX}${process.pid}-`;

/** Everything on this machine that bears the node's name: folders, control groups, mounts, processes. */
export function remainsOf(name: string): string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return [
    ...globSync(join(tmpdir(), name)),
    ...groups(name),
    ...mounts.filter((line) => line.includes(name)),
    ...readdirSync('/proc')
      .filter((pid) => /^\d+$/.test(pid))
      .filter((pid) => commandLine(pid).includes(name))
      .map((pid) => `process ${pid}`),
  ];
}

/** Removes the folder and the control groups of a node whose processes have ended. */
export function remove(name: string): void {
  for (const group of groups(name).toReversed()) rmdirSync(group);
  rmSync(join(tmpdir(), name), { recursive: true, force: true });
}

/** Does so for nodes of processes that were killed before they could. */
export function removeOrphans(): void {
  const names = [`${tmpdir()}/${PREFIX}*`, `/sys/fs/cgroup/{*/,}${PREFIX}*`]
    .flatMap((pattern) => globSync(pattern))
    .map((path) => basename(path));
  for (const name of new Set(names)) {
    const maker = /^mayfly-pods-(\d+)-/.exec(name)?.[1];
    if (maker !== undefined && !isAlive(Number(maker))) remove(name);
  }
}

/** Parents before children. */
function groups(name: string): string[] {
  return globSync(`/sys/fs/cgroup/{*/,}${name}{,/**}/cgroup.procs`)
    .map((file) => file.slice(0, file.lastIndexOf('/')))
    .toSorted();
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
