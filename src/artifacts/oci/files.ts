/** Where the files of an OCI layout lie: a folder on disk, or an archive held in memory until it is written whole. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { storeError } from '../../model/store-error.ts';
import { limits } from './limits.ts';
import { badImage } from './refusal.ts';
import { readTar } from './tar-read.ts';
import { writeTar } from './tar-write.ts';

export interface LayoutFiles {
  readonly label: string;
  /** null when there is no such file. `most`: bytes from which on it is refused. */
  read(name: string, most: number): Promise<Uint8Array | null>;
  /** A reader sees the old file or the new one, never a part. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  finish(): Promise<void>;
}

/** Writes and flushes one new file; a test can make it fail as a full disk does. */
export type WriteDurably = (path: string, bytes: Uint8Array) => Promise<void>;

export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, 'wx');
  await file.writeFile(bytes);
  await file.sync();
}

export function folderFiles(folder: string, write: WriteDurably = writeDurably): LayoutFiles {
  return {
    label: folder,
    read: (name, most) => readWhole(join(folder, name), most),
    write: (name, bytes) => replaceFile(join(folder, name), bytes, write),
    finish: async () => {},
  };
}

/** An OCI archive: the tar of a layout. What is there is read when it is opened; nothing is written before `finish`. */
export async function archiveFiles(file: string, write: WriteDurably = writeDurably): Promise<LayoutFiles> {
  const files = new Map<string, Uint8Array>();
  const tar = await readWhole(file, 2 * limits.unpackedBytes);
  if (tar !== null) {
    for (const { name, type, bytes } of readTar(tar, file)) {
      if (type === 'file') files.set(name, bytes);
    }
  }
  return {
    label: file,
    async read(name, most) {
      const bytes = files.get(name) ?? null;
      if (bytes !== null && bytes.length > most) throw tooLarge(`${file}, ${name}`, most);
      return bytes;
    },
    async write(name, bytes) {
      files.set(name, bytes);
    },
    async finish() {
      const sorted = [...files].toSorted(([a], [b]) => (a < b ? -1 : 1));
      await replaceFile(file, writeTar(sorted.map(([name, bytes]) => ({ name, bytes }))), write);
    },
  };
}

async function readWhole(path: string, most: number): Promise<Uint8Array | null> {
  try {
    if ((await stat(path)).size > most) throw tooLarge(path, most);
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    if (code === 'bad-image') throw error;
    throw storeError('read the image', path, error);
  }
}

/** Beside the old file first, then in its place; a failure leaves the old one and nothing else. */
export async function replaceFile(
  path: string,
  bytes: Uint8Array,
  write: WriteDurably = writeDurably,
): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    try {
      await write(temporary, bytes);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await using folder = await open(dirname(path), 'r');
    await folder.sync();
  } catch (error) {
    throw storeError('write the image', path, error);
  }
}

function tooLarge(where: string, most: number): Error {
  return badImage(`a part of it has more than ${most} bytes`, where);
}
