import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import assemblyscript from 'assemblyscript/package.json' with { type: 'json' };
import { storeError } from '../model/store-error.ts';
import { digestOf, type FilesSeen, unchanged } from './source-files.ts';

/** Builds of another compiler, or of an older way of using it (raise the number), are made again. */
const RECIPE = `3, assemblyscript ${assemblyscript.version}`;

interface Entry {
  readonly recipe: string;
  readonly seen: FilesSeen;
  readonly digest: string;
  readonly warnings: readonly string[];
}

/** Finished builds in a folder (`.mayfly/build`), each beside the list of the files that it was made from. */
export class BuildCache {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Where the module built from `file` lies. */
  wasmPath(file: string): string {
    return join(this.#folder, `${this.#key(file)}.wasm`);
  }

  /** The finished build of `file`, or null when there is none or something it was made from has changed. */
  async find(file: string): Promise<{ wasm: Uint8Array; warnings: readonly string[] } | null> {
    try {
      const entry = JSON.parse(await readFile(this.#entryPath(file), 'utf8')) as Entry;
      if (entry.recipe !== RECIPE || !(await unchanged(entry.seen))) return null;
      const wasm = await readFile(this.wasmPath(file));
      return digestOf(wasm) === entry.digest ? { wasm, warnings: entry.warnings } : null;
    } catch {
      // Missing, or damaged by somebody: then there is no finished build, which is all that was asked.
      return null;
    }
  }

  /** Throws MayflyError, code `disk-full` or `store-failed`, when it cannot be written. */
  async store(file: string, wasm: Uint8Array, seen: FilesSeen, warnings: readonly string[]): Promise<void> {
    const entry: Entry = { recipe: RECIPE, seen, digest: digestOf(wasm), warnings };
    try {
      await mkdir(this.#folder, { recursive: true });
      await writeWhole(this.wasmPath(file), wasm);
      await writeWhole(this.#entryPath(file), JSON.stringify(entry));
    } catch (error) {
      throw storeError('keep the build', this.#folder, error);
    }
  }

  #entryPath(file: string): string {
    return join(this.#folder, `${this.#key(file)}.json`);
  }

  #key(file: string): string {
    return digestOf(file).slice('sha256:'.length, 'sha256:'.length + 16);
  }
}

/** A reader sees the old file or the new one, never a part; a failure leaves nothing behind. */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, content);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
