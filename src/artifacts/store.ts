import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MayflyError } from '../model/errors.ts';
import { digestOf, hexOf } from './digest.ts';
import { storeError } from '../model/store-error.ts';

/** Artifacts in a folder, named by what they contain: `sha256/<hex>`. */
export interface ArtifactStore {
  readonly folder: string;
  /** On disk for good (file and folder flushed) when this resolves; returns the digest. Putting the same bytes twice is free, and heals a damaged file. */
  put(bytes: Uint8Array): Promise<string>;
  /** The bytes, checked against their name. */
  get(digest: string): Promise<Uint8Array<ArrayBuffer>>;
  has(digest: string): Promise<boolean>;
  /** Deletes every artifact that is not in `referenced`; nobody may `put` meanwhile. */
  collect(referenced: ReadonlySet<string>): Promise<{ readonly removed: number; readonly bytes: number }>;
}

export interface ArtifactStoreOptions {
  /** Writes and flushes one new file; a test can make it fail as a full disk does. */
  readonly writeDurably?: (path: string, bytes: Uint8Array) => Promise<void>;
}

/** Opens the store, creates its folders, and clears what a killed process left half-written. */
export async function openArtifactStore(
  folder: string,
  options: ArtifactStoreOptions = {},
): Promise<ArtifactStore> {
  const writeDurably = options.writeDurably ?? writeAndFlush;
  const finished = join(folder, 'sha256');
  const unfinished = join(folder, 'unfinished');
  const fileOf = (digest: string) => join(finished, hexOf(digest));

  await attempt('open the artifact store', folder, async () => {
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(finished, { recursive: true });
    await mkdir(unfinished, { recursive: true });
  });

  const readIntact = async (digest: string): Promise<Uint8Array<ArrayBuffer> | 'missing' | 'damaged'> => {
    const file = fileOf(digest);
    try {
      const bytes = await readFile(file);
      return digestOf(bytes) === digest ? bytes : 'damaged';
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'missing';
      throw storeError('read an artifact', file, error);
    }
  };

  return {
    folder,

    async put(bytes) {
      const digest = digestOf(bytes);
      if (typeof (await readIntact(digest)) !== 'string') return digest;
      const temporary = join(unfinished, randomBytes(12).toString('hex'));
      await attempt('store the artifact', folder, async () => {
        try {
          await writeDurably(temporary, bytes);
          await rename(temporary, fileOf(digest));
          await flushFolder(finished);
        } catch (error) {
          await rm(temporary, { force: true });
          throw error;
        }
      });
      return digest;
    },

    async get(digest) {
      const found = await readIntact(digest);
      if (found === 'missing') {
        throw new MayflyError('Cannot read an artifact: it is not in the store', {
          where: fileOf(digest),
          fix: 'Deploy the function again.',
          code: 'artifact-missing',
        });
      }
      if (found === 'damaged') {
        throw new MayflyError('Cannot use an artifact: its bytes do not match its digest', {
          where: fileOf(digest),
          fix: 'The file was changed or the disk is failing. Deploy the function again; that replaces the file.',
          code: 'artifact-damaged',
        });
      }
      return found;
    },

    async has(digest) {
      return typeof (await readIntact(digest)) !== 'string';
    },

    async collect(referenced) {
      const keep = new Set([...referenced].map(hexOf));
      let removed = 0;
      let bytes = 0;
      await attempt('clean up the artifact store', folder, async () => {
        for (const name of await readdir(finished)) {
          if (keep.has(name)) continue;
          const file = join(finished, name);
          bytes += (await stat(file)).size;
          await rm(file);
          removed++;
        }
      });
      return { removed, bytes };
    },
  };
}

async function writeAndFlush(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, 'wx');
  await file.writeFile(bytes);
  await file.sync();
}

/** A rename survives a power cut only when the folder has been flushed too. */
async function flushFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}

async function attempt<T>(what: string, where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storeError(what, where, error);
  }
}
