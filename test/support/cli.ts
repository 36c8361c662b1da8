/** The command line as a process, for end-to-end tests. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const LAUNCHER = join(import.meta.dirname, '../../bin/mayfly.js');

export interface CommandLine {
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly input?: string | undefined;
  /** Default: bin/mayfly.js of this clone. */
  readonly launcher?: string | undefined;
}

export interface Ended {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs one command to its end. */
export async function mayfly(args: readonly string[], options: CommandLine = {}): Promise<Ended> {
  const child = launch(args, options);
  const out = collect(child.stdout);
  const err = collect(child.stderr);
  child.stdin?.end(options.input ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out: out.text, err: err.text };
}

/** Runs one command with --json and answers what it printed. */
export async function mayflyJson<T>(args: readonly string[], options: CommandLine = {}): Promise<T> {
  const { code, out, err } = await mayfly([...args, '--json'], options);
  if (code !== 0) throw new Error(`mayfly ${args.join(' ')} ended with ${code}: ${out}${err}`);
  return JSON.parse(out) as T;
}

export interface Started {
  readonly version: string;
  readonly pid: number;
  readonly addresses: { readonly gateway: string; readonly metrics: string | null; readonly admin: string };
  readonly functions: readonly { readonly name: string; readonly digest: string }[];
  readonly warnings: readonly string[];
  readonly try: { readonly allowed: string | null; readonly denied: string | null };
}

export interface RunningProcess extends AsyncDisposable {
  signal(signal: NodeJS.Signals): void;
  /** Everything on stdout and stderr so far. */
  output(): string;
  /** Resolves when the output contains `text`; rejects when the process ends without. */
  says(text: string): Promise<void>;
  readonly ended: Promise<number | null>;
}

export interface ServerProcess extends RunningProcess {
  readonly overview: Started;
}

/** Starts a server and waits until it has said that it serves. */
export async function startServer(
  args: readonly string[],
  options: CommandLine = {},
): Promise<ServerProcess> {
  return serving(startProcess([...args, '--json'], options));
}

/** Waits until a process has said, as JSON, that it serves. */
export async function serving(running: RunningProcess): Promise<ServerProcess> {
  await running.says('"addresses"');
  const line = running
    .output()
    .split('\n')
    .find((text) => text.includes('"addresses"'));
  return { ...running, overview: JSON.parse(line as string) as Started };
}

/** Starts a command that goes on. */
export function startProcess(args: readonly string[], options: CommandLine = {}): RunningProcess {
  const child = launch(args, options);
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const keep = (line: string) => {
    lines.push(line);
    for (const look of waiting) look();
  };
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', keep);
  }
  const output = () => lines.join('\n');
  return {
    output,
    ended,
    says(text) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const look = () => {
        if (!output().includes(text)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
      void ended.then((code) =>
        reject(new Error(`It ended with ${code} and never said ${text}: ${output()}`)),
      );
      return promise;
    },
    signal: (signal) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function launch(args: readonly string[], { cwd, env, launcher = LAUNCHER }: CommandLine): ChildProcess {
  const { NO_COLOR: _, FORCE_COLOR: __, ...inherited } = process.env;
  return spawn(process.execPath, [launcher, ...args], {
    cwd,
    env: { ...inherited, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

function collect(stream: NodeJS.ReadableStream | null): { readonly text: string } {
  const found = { text: '' };
  stream?.setEncoding('utf8').on('data', (chunk: string) => (found.text += chunk));
  return found;
}
