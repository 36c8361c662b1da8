/**
 * Debian packages unpacked under a prefix, never installed: the machine's own packages stay as they are.
 * Packages are checked by apt against Debian's signed index.
 */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { locked } from './lock.ts';
import type { Recipe, Site } from './recipe.ts';

const TRIXIE = 'trixie';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const SOURCES = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list'];

const machines: Record<string, { triplet: string; loader: string }> = {
  x64: { triplet: 'x86_64-linux-gnu', loader: 'lib64/ld-linux-x86-64.so.2' },
  arm64: { triplet: 'aarch64-linux-gnu', loader: 'lib/ld-linux-aarch64.so.1' },
};
const machine = machines[process.arch] ?? { triplet: 'unknown', loader: 'unknown' };

/** Where a prefix keeps its shared libraries. */
export const libraries = `usr/lib/${machine.triplet}`;
/** The dynamic loader of a prefix that has its own libc. */
export const loader = machine.loader;

interface DebianPackages {
  /** Package → the upstream version that it must have. Others come along as dependencies. */
  readonly packages: Readonly<Record<string, string>>;
  /** Programs that need the prefix's own libc: a wrapper `w/<name>` starts each with the prefix's loader. */
  readonly wrap?: readonly string[];
  /** Programs that act by the name they are called by: a wrapper for each of the names. */
  readonly multicall?: Readonly<Record<string, readonly string[]>>;
  /** Without dependencies: for static programs, and those at home on any libc. */
  readonly alone?: true;
}

export function debian(wanted: DebianPackages): Pick<Recipe, 'needs' | 'inputs' | 'bring'> {
  return {
    needs: ['apt-get', 'dpkg-deb', 'flock'],
    inputs: ['debian', TRIXIE, JSON.stringify(wanted)],
    bring: async (site) => {
      const archives = await download(site, TRIXIE, Object.keys(wanted.packages), wanted.alone === true);
      await checkVersions(site, archives, wanted.packages);
      await unpack(site, archives, site.making);
      for (const program of wanted.wrap ?? []) wrap(site, program, basename(program));
      for (const [program, names] of Object.entries(wanted.multicall ?? {}))
        for (const name of names) wrap(site, program, name);
    },
  };
}

/** Fills a folder with packages of trixie and nothing that they depend on, for the time of a build. */
export async function headers(site: Site, packages: string[], folder: string): Promise<string> {
  await unpack(site, await download(site, TRIXIE, packages, true), folder);
  return folder;
}

/**
 * Fills a folder with build tools of this machine's own release, for the time of a build: they run with the machine's libc,
 * and the folder's libraries on LD_LIBRARY_PATH.
 */
export async function buildTools(site: Site, packages: string[], folder: string): Promise<string> {
  const release = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  if (release === undefined) throw new Error('/etc/os-release names no release: this needs a Debian machine');
  const archives = await download(site, release, packages, false);
  const fitting = archives.filter((file) => !basename(file).startsWith('libc6_'));
  await unpack(site, fitting, folder);
  return folder;
}

async function unpack(site: Site, archives: readonly string[], folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const archive of archives) await site.run('dpkg-deb', ['-x', archive, folder]);
  for (const link of ['lib', 'lib64', 'bin', 'sbin'])
    if (lstatSync(join(folder, link), { throwIfNoEntry: false }) === undefined)
      symlinkSync(`usr/${link}`, join(folder, link));
}

/** apt with a root of its own that knows one release of Debian and believes that nothing is installed. */
async function download(site: Site, release: string, packages: string[], alone: boolean): Promise<string[]> {
  const apt = join(site.downloads, `apt-${release}`);
  return await locked(`${apt}.lock`, async () => {
    for (const folder of ['lists/partial', 'cache/archives/partial', 'empty/partial'])
      mkdirSync(join(apt, folder), { recursive: true });
    writeFileSync(join(apt, 'status'), '');
    const source = `deb [signed-by=${KEYRING}] ${debianAddress()} ${release} main\n`;
    writeFileSync(join(apt, 'sources.list'), source);
    const get = (...args: string[]) => site.run('apt-get', [...aptSettings(apt), '-qq', ...args]);
    await get('update');
    const archives = join(apt, 'cache/archives');
    const named = alone ? ['download', ...packages] : ['-y', 'install', ...packages];
    // The plan tells which archives belong to these packages; apt leaves out what it already has, so it is shown none.
    const plan = await get(`-oDir::Cache::archives=${join(apt, 'empty')}`, '--print-uris', ...named);
    const files = [...plan.matchAll(/^'[^']+' (\S+\.deb) /gm)].map((match) =>
      join(archives, match[1] as string),
    );
    if (alone) await site.run('apt-get', [...aptSettings(apt), '-qq', ...named], { cwd: archives });
    else await get('--download-only', ...named);
    return files;
  });
}

function aptSettings(apt: string): string[] {
  const settings = {
    'Dir::Etc::sourcelist': join(apt, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State::lists': join(apt, 'lists'),
    'Dir::State::status': join(apt, 'status'),
    'Dir::Cache': join(apt, 'cache'),
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
    'APT::Install-Recommends': 'false',
    'APT::Sandbox::User': '',
    'Debug::NoLocking': '1',
  };
  return Object.entries(settings).map(([name, value]) => `-o${name}=${value}`);
}

/** The address of Debian's packages as this machine has it, so that it goes where this machine's own updates go. */
function debianAddress(): string {
  for (const file of SOURCES.filter((file) => existsSync(file))) {
    const found = /^(?:URIs:\s*|deb\s+(?:\[[^\]]*\]\s+)?)(\S+\/debian)\b/m.exec(readFileSync(file, 'utf8'));
    if (found !== null) return found[1] as string;
  }
  throw new Error(`no address of Debian's packages in ${SOURCES.join(' or ')}: this needs a Debian machine`);
}

async function checkVersions(
  site: Site,
  archives: readonly string[],
  packages: DebianPackages['packages'],
): Promise<void> {
  for (const [name, version] of Object.entries(packages)) {
    const archive = archives.find((file) => basename(file).startsWith(`${name}_`));
    if (archive === undefined) throw new Error(`Debian ${TRIXIE} gave no package ${name}`);
    const is = (await site.run('dpkg-deb', ['-f', archive, 'Version'])).trim().replace(/^\d+:/, '');
    if (!new RegExp(`^${version.replaceAll('.', '\\.')}(?![.\\d])`).test(is))
      throw new Error(`Debian ${TRIXIE} has ${name} ${is} now, and the catalogue wants ${version}`);
  }
}

function wrap(site: Site, program: string, name: string): void {
  const at = (path: string) => join(site.folder, path);
  const lines = [
    '#!/bin/sh',
    ...(existsSync(join(site.making, libraries, 'xtables'))
      ? [`export XTABLES_LIBDIR=${at(libraries)}/xtables`]
      : []),
    `exec ${at(loader)} --library-path ${at(libraries)} --argv0 ${name} ${at(program)} "$@"`,
  ];
  mkdirSync(join(site.making, 'w'), { recursive: true });
  writeFileSync(join(site.making, 'w', name), `${lines.join('\n')}\n`);
  chmodSync(join(site.making, 'w', name), 0o755);
}
