import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** One script of the specification's test suite. The commands are those of `wasm-tools json-from-wast`. */
export interface Script {
  readonly suite: string;
  readonly name: string;
  readonly commands: readonly Command[];
  /** File name → binary module in base64. */
  readonly modules: Readonly<Record<string, string>>;
}

export interface Command {
  readonly type: string;
  readonly line: number;
  readonly name?: string;
  readonly as?: string;
  readonly module?: string;
  readonly instance?: string;
  readonly filename?: string;
  readonly binary_filename?: string;
  readonly module_type?: 'text' | 'binary';
  readonly action?: Action;
  readonly expected?: readonly Constant[];
  readonly text?: string;
}

export interface Action {
  readonly type: 'invoke' | 'get';
  readonly module?: string;
  readonly field: string;
  readonly args?: readonly Constant[];
}

export interface Constant {
  readonly type: string;
  readonly value?: string | readonly string[];
  readonly lane_type?: string;
  readonly values?: readonly Constant[];
}

/** Changes whenever the converter or the crate that carries the suite does (converter/Cargo.toml). */
const VERSION = '0.7.5-1';
const CONVERTER = join(import.meta.dirname, 'converter');

/** All scripts, or null where cargo is missing. The first call builds the converter (a minute); the result is kept in the user's cache. */
export function loadSuite(): Script[] | null {
  const cache = join(
    process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
    'mayfly',
    `wasm-spec-${VERSION}`,
  );
  if (!existsSync(cache) && !convert(cache)) return null;
  return globSync('*.json', { cwd: cache })
    .toSorted()
    .map((file) => JSON.parse(readFileSync(join(cache, file), 'utf8')) as Script);
}

function convert(cache: string): boolean {
  if (spawnSync('cargo', ['--version']).status !== 0) return false;
  const work = `${cache}.${process.pid}`;
  cpSync(CONVERTER, join(work, 'converter'), { recursive: true });
  run('cargo', ['build', '--release', '--quiet'], join(work, 'converter'));
  const output = join(work, 'json');
  mkdirSync(output);
  run(join(work, 'converter/target/release/wasm-spec-converter'), [output], work);
  renameSync(output, cache);
  rmSync(work, { recursive: true });
  return true;
}

function run(command: string, args: readonly string[], cwd: string): void {
  const result = spawnSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  if (result.status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed (exit code ${result.status})`);
}
