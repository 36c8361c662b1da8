/** The cache of parts: one folder per part and key, made once, whole or not at all. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { locked } from './lock.ts';
import type { Recipe, Site } from './recipe.ts';
import { runner } from './run.ts';

/** Raise it when a change in how recipes work must not meet folders made before. */
const FORMAT = 1;

/** `…/mayfly/parts` in the cache folder of the XDG Base Directory specification. */
export function partsFolder(): string {
  const base = process.env['XDG_CACHE_HOME'] ?? '';
  return join(base === '' ? join(homedir(), '.cache') : base, 'mayfly', 'parts');
}

/** Names what the recipe makes: twelve hex digits over all that decides it. `usedKeys` are the keys of `uses`. */
export function keyOf(name: string, recipe: Recipe, usedKeys: readonly string[]): string {
  const parts = [FORMAT, process.arch, name, recipe.version, recipe.paths, recipe.inputs, usedKeys];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12);
}

/**
 * The folder of a part, made now if it is not there. Two processes that ask at once make it once.
 * Throws one sentence that names the log when it cannot be made. With MAYFLY_PARTS=cached nothing is made.
 */
export async function stored(
  name: string,
  key: string,
  recipe: Recipe,
  used: Readonly<Record<string, string>>,
): Promise<string> {
  const parts = partsFolder();
  const folder = join(parts, `${name}-${key}`);
  if (existsSync(folder)) return folder;
  const logs = join(parts, 'logs');
  const log = join(logs, `${name}-${key}.log`);
  if (process.env['MAYFLY_PARTS'] === 'cached')
    throw new Error(
      `${name} ${recipe.version} is not in the cache; if it was tried to make it, ${log} tells why not`,
    );
  mkdirSync(logs, { recursive: true });
  return await locked(join(logs, `${name}-${key}.lock`), async () => {
    if (existsSync(folder)) return folder;
    rmSync(log, { force: true });
    await make(recipe, { parts, folder, log, used }).catch((error: Error) => {
      throw new Error(`${name} ${recipe.version} could not be made: ${error.message}. The log is ${log}`);
    });
    rmSync(log, { force: true });
    return folder;
  });
}

async function make(
  recipe: Recipe,
  { parts, folder, log, used }: { parts: string; folder: string; log: string; used: Site['used'] },
): Promise<void> {
  const unfinished = `${folder}.unfinished`;
  const making = join(unfinished, 'part');
  const scratch = join(unfinished, 'scratch');
  const downloads = join(parts, 'downloads');
  rmSync(unfinished, { recursive: true, force: true });
  for (const each of [making, scratch, downloads]) mkdirSync(each, { recursive: true });
  writeFileSync(log, '');
  try {
    await recipe.bring({ making, folder, scratch, downloads, used, run: runner(log) });
    const lost = Object.values(recipe.paths).filter((path) => !existsSync(join(making, path)));
    if (lost.length > 0) throw new Error(`it lacks ${lost.join(', ')}`);
    renameSync(making, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}
