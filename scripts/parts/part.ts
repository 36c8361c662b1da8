/**
 * Parts that tests need beyond npm (WasmEdge, containerd, Kubernetes, …): brought at exact versions when first asked
 * for, kept in the user's cache folder, the same for every process.
 */
import { join } from 'node:path';
import { type PartName, type PathName, catalogue } from './catalogue.ts';
import type { Recipe } from './recipe.ts';
import { absent } from './run.ts';
import { keyOf, stored } from './store.ts';

export interface FoundPart<P extends string> {
  readonly name: string;
  readonly version: string;
  /** The folder that holds all of it. */
  readonly folder: string;
  /** Absolute paths of what it exports. */
  readonly paths: Readonly<Record<P, string>>;
}

/** One sentence: why the part is not to be had, and where the log is. */
export interface MissingPart {
  readonly missing: string;
}

const asked = new Map<string, Promise<FoundPart<string> | MissingPart>>();

/** The part, brought now if it is not in the cache: from nothing to minutes. Never throws: what is wrong is `missing`. */
export async function part<N extends PartName>(name: N): Promise<FoundPart<PathName<N>> | MissingPart> {
  let answer = asked.get(name);
  if (answer === undefined) {
    answer = bring(name).catch((error: Error) => ({ missing: error.message }));
    asked.set(name, answer);
  }
  return (await answer) as FoundPart<PathName<N>> | MissingPart;
}

async function bring(name: PartName): Promise<FoundPart<string>> {
  const recipe: Recipe = catalogue[name];
  if (process.platform !== 'linux') throw new Error(`${name} is brought on Linux only`);
  const lacking = absent(recipe.needs);
  if (lacking.length > 0) throw new Error(`${name} needs ${lacking.join(' and ')} on this machine`);
  const used: Record<string, string> = {};
  for (const other of (recipe.uses ?? []) as PartName[]) {
    const found = await part(other);
    if ('missing' in found) throw new Error(`${name} is built on ${other}: ${found.missing}`);
    used[other] = found.folder;
  }
  const folder = await stored(name, keyOf(name, recipe, Object.values(used)), recipe, used);
  const paths = Object.entries(recipe.paths).map(([key, path]) => [key, join(folder, path)]);
  return { name, version: recipe.version, folder, paths: Object.fromEntries(paths) };
}
