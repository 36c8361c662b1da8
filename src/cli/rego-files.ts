import { globSync } from 'node:fs';
import { join } from 'node:path';
import { statOf } from '../config/files.ts';
import { MayflyError } from '../model/errors.ts';
import { readInput } from './input.ts';

/** Files as they are named; of folders every `.rego` below them, `_test.rego` only for tests. */
export function collectRego(paths: readonly string[], { tests }: { tests: boolean }): string[] {
  const files = paths.flatMap((path) => {
    if (statOf(path)?.isDirectory() !== true) return [path];
    return globSync('**/*.rego', { cwd: path })
      .filter((file) => tests || !file.endsWith('_test.rego'))
      .map((file) => join(path, file));
  });
  if (files.length > 0) return [...new Set(files)].toSorted();
  throw new MayflyError('There is no .rego file', {
    where: paths.join(', '),
    exitCode: 2,
    code: 'unreadable',
  });
}

/** File name → text. */
export async function readRego(files: readonly string[]): Promise<Record<string, string>> {
  const texts = files.map(async (file) => [file, (await readInput(file)).toString('utf8')] as const);
  return Object.fromEntries(await Promise.all(texts));
}
