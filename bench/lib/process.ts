/** Servers under test as child processes: started, waited for, looked at in /proc, ended by their pid. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const TICKS_PER_SECOND = 100;
const STOP_PATIENCE_MS = 5000;

/** Children that still run: whatever ends this process ends them too. */
const running = new Set<Server>();
process.on('exit', () => running.forEach((server) => server.kill()));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

export interface ServerCommand {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What the server prints goes there. */
  readonly logFile: string;
}

export interface MemoryUse {
  readonly rssMB: number;
  readonly pssMB: number;
}

/** A process and its descendants. */
export class Server {
  readonly name: string;
  readonly logFile: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  /** Milliseconds from its start to its first good answer. */
  firstAnswerMs = 0;

  constructor({ name, command, env, cwd, logFile }: ServerCommand) {
    this.name = name;
    this.logFile = logFile;
    const log = openSync(logFile, 'w');
    const [program, ...args] = command as [string, ...string[]];
    this.#child = spawn(program, args, {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...env },
      ...(cwd !== undefined && { cwd }),
    });
    closeSync(log);
    running.add(this);
    this.#ended = new Promise((ended) => {
      this.#child.once('exit', ended);
      this.#child.once('error', ended);
    }).then(() => void running.delete(this));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get alive(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** CPU seconds that it has used so far, all threads and child processes. */
  cpuSeconds(): number {
    return family(this.pid).reduce((total, pid) => total + cpuTicks(pid), 0) / TICKS_PER_SECOND;
  }

  memory(): MemoryUse {
    const use = (key: string): number =>
      family(this.pid).reduce((total, pid) => total + rollup(pid, key), 0) / 1024;
    return { rssMB: use('Rss'), pssMB: use('Pss') };
  }

  /** Polls until `probe` succeeds. Throws with what the server printed when it ends or the time is up. */
  async ready(probe: () => Promise<boolean>, patienceMs = 60_000): Promise<void> {
    const start = performance.now();
    while (performance.now() - start < patienceMs && this.alive) {
      if (await probe().catch(() => false)) {
        this.firstAnswerMs = performance.now() - start;
        return;
      }
      await sleep(5);
    }
    const printed = readFileSync(this.logFile, 'utf8').slice(-2000);
    await this.stop();
    throw new Error(`${this.name} never answered. It printed:\n${printed}`);
  }

  /** Ends it gently, then firmly. */
  async stop(): Promise<void> {
    if (!this.alive) return;
    const members = family(this.pid);
    this.#child.kill('SIGTERM');
    await Promise.race([this.#ended, sleep(STOP_PATIENCE_MS, undefined, { ref: false })]);
    for (const pid of members) if (pid !== this.pid || this.alive) endProcess(pid);
    await this.#ended;
  }

  kill(): void {
    for (const pid of family(this.pid)) endProcess(pid);
  }
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => {
    server.listen(0, '127.0.0.1', listening);
  });
  const { port } = server.address() as { port: number };
  await new Promise((closed) => {
    server.close(closed);
  });
  return port;
}

/** The process and all its descendants; empty when it is gone. */
function family(pid: number): number[] {
  if (pid === 0) return [];
  const children = list(`/proc/${pid}/task`).flatMap((task) =>
    read(`/proc/${pid}/task/${task}/children`).split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(family)];
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** User and system time; fields 14 and 15 of proc(5) stat, counted behind the name, which may contain anything. */
export function cpuTicks(pid: number): number {
  const text = read(`/proc/${pid}/stat`);
  if (text === '') return 0;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

function rollup(pid: number, key: string): number {
  return Number(
    new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(read(join('/proc', String(pid), 'smaps_rollup')))?.[1] ?? 0,
  );
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
