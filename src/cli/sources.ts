/** What `mayfly build PATH` means: one source, or every function of a configuration. */
import { basename, resolve } from 'node:path';
import type { BuildOptions } from '../build/build.ts';
import { findConfigFile, statOf } from '../config/files.ts';
import { loadConfig } from '../config/load.ts';
import { resolveConfig } from '../config/resolve.ts';
import type { Environment } from '../config/substitute.ts';
import { MayflyError } from '../model/errors.ts';

export type NamedSource = BuildOptions & { readonly name: string };

/** A folder with a mayfly.yaml is a configuration, anything else is a source. Functions from images are built already. */
export function sourcesAt(path: string, env: Environment, out: string | undefined): NamedSource[] {
  const file = findConfigFile(path);
  const isConfig = /\.ya?ml$/.test(file) && statOf(file) !== null;
  if (!isConfig) return [{ name: basename(resolve(path)), source: path, out }];
  const functions = resolveConfig(loadConfig(path, env)).functions.flatMap(({ name, source }) =>
    source.type === 'path' ? [{ name, path: source.path, build: source.build }] : [],
  );
  if (out !== undefined && functions.length !== 1) {
    throw new MayflyError(`Cannot put ${functions.length} functions into one file`, {
      where: file,
      fix: 'Build one source at a time: mayfly build FILE --out FILE.',
      exitCode: 2,
      code: 'usage',
    });
  }
  return functions.map(({ name, path: source, build }) => ({ name, source, out, ...build }));
}
