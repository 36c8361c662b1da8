/** The command line within this process: as the real one, without the second that a process takes to start. */
import { run } from '../../src/cli/main.ts';
import type { Ended } from './cli.ts';

export interface Place {
  /** Where the command is typed. One command runs at a time. */
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

export async function mayfly(args: readonly string[], { cwd, env }: Place): Promise<Ended> {
  const before = process.cwd();
  process.chdir(cwd);
  const written = { out: '', err: '' };
  const output = (stream: keyof typeof written) => ({
    write: (text: string | Uint8Array) => (written[stream] += Buffer.from(text).toString()),
  });
  try {
    const json = args.includes('--json');
    const code = await run(args, { out: output('out'), err: output('err'), env, json });
    return { code, ...written };
  } finally {
    process.chdir(before);
  }
}

/** Runs one command with --json and answers what it printed. */
export async function mayflyJson<T>(args: readonly string[], place: Place): Promise<T> {
  const { code, out, err } = await mayfly([...args, '--json'], place);
  if (code !== 0) throw new Error(`mayfly ${args.join(' ')} ended with ${code}: ${out}${err}`);
  return JSON.parse(out) as T;
}
