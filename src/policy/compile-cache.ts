import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CompilerAnswer } from './compiler/protocol.ts';
import { usable } from './shipped.ts';

/** Oldest ones beyond this many are dropped; each is about 300 KB. */
const KEPT = 64;

/** Compiled policies by the digest of their sources: one JSON file each, written at once or not at all. */
export class CompileCache {
  readonly #folder: string | null;

  /** `folder` null: remember nothing. */
  constructor(folder: string | null) {
    this.#folder = folder;
  }

  async read(digest: string): Promise<CompilerAnswer | null> {
    if (this.#folder === null) return null;
    const file = this.#file(this.#folder, digest);
    try {
      const answer = usable(JSON.parse(await readFile(file, 'utf8')));
      if (answer !== null) await utimes(file, new Date(), new Date());
      return answer;
    } catch {
      return null; // absent, or damaged: compile again
    }
  }

  /** A cache that cannot be written costs time, not the policy. */
  async write(digest: string, answer: CompilerAnswer): Promise<void> {
    if (this.#folder === null) return;
    const file = this.#file(this.#folder, digest);
    const unfinished = `${file}.${process.pid}.tmp`;
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await writeFile(unfinished, JSON.stringify(answer), { mode: 0o600 });
      await rename(unfinished, file);
      await this.#prune(this.#folder);
    } catch {
      await rm(unfinished, { force: true });
    }
  }

  async #prune(folder: string): Promise<void> {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
    if (names.length <= KEPT) return;
    const aged = await Promise.all(
      names.map(async (name) => ({ name, used: (await stat(join(folder, name))).mtimeMs })),
    );
    const stale = aged.toSorted((a, b) => b.used - a.used).slice(KEPT);
    await Promise.all(stale.map(({ name }) => rm(join(folder, name), { force: true })));
  }

  #file(folder: string, digest: string): string {
    return join(folder, `${digest.replace('sha256:', '')}.json`);
  }
}
