import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { MayflyError } from '../model/errors.ts';

/** Where a folder may keep its function, in this order. */
const ENTRIES = ['function.ts', 'index.ts', 'assembly/index.ts'];

export type Source =
  | { readonly type: 'wasm'; readonly file: string }
  | { readonly type: 'assemblyscript'; readonly file: string };

/** Finds the file to build: a `.wasm`, a `.ts`, or a folder with one of the usual names. */
export async function findSource(path: string): Promise<Source> {
  const file = resolve(path);
  const found = await stat(file).catch(() => null);
  if (found === null) {
    throw new MayflyError('Cannot build: there is no such file or folder', {
      where: file,
      fix: 'Check the path; in mayfly.yaml it is `source` of the function, counted from that file.',
      exitCode: 2,
      code: 'source-missing',
    });
  }
  if (found.isDirectory()) {
    for (const name of ENTRIES) {
      const candidate = join(file, name);
      if ((await stat(candidate).catch(() => null))?.isFile())
        return { type: 'assemblyscript', file: candidate };
    }
    throw new MayflyError(`Cannot build: the folder has no ${ENTRIES.join(', ')}`, {
      where: file,
      fix: 'Name the file itself, or give the function a `build` command.',
      exitCode: 2,
      code: 'source-missing',
    });
  }
  if (file.endsWith('.wasm')) return { type: 'wasm', file };
  if (file.endsWith('.ts') && !file.endsWith('.d.ts')) return { type: 'assemblyscript', file };
  throw new MayflyError('Cannot build: the kind of this file is not known', {
    where: file,
    fix: 'Give a .wasm, a .ts (AssemblyScript), a folder, or a `build` command with its output.',
    exitCode: 2,
    code: 'source-unknown',
  });
}
