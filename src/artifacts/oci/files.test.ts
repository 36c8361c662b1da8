import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeTestFolder } from '../../../test/support/folder.ts';
import { testImage } from '../../../test/support/images.ts';
import { MayflyError } from '../../model/errors.ts';
import { archiveFiles, folderFiles, replaceFile, writeDurably, type WriteDurably } from './files.ts';
import { openLayout } from './layout.ts';
import { requireImage } from './repository.ts';

/** A disk that is full after so many files: a part of the next one is written, then it fails. */
function fullAfter(files: number): WriteDurably {
  let left = files;
  return async (path, bytes) => {
    if (left-- > 0) return writeDurably(path, bytes);
    await writeFile(path, bytes.subarray(0, 3));
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
}

const isFull = (error: unknown) =>
  error instanceof MayflyError &&
  error.code === 'disk-full' &&
  /Cannot write the image: the disk is full/.test(error.message);

const everything = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);

test('a disk that is full at any moment leaves whole files only, and never an image that is not whole', async () => {
  const { content, root } = testImage('a');
  const writes = content.blobs.size + content.manifests.length + 2;
  for (let files = 0; files < writes; files++) {
    using folder = makeTestFolder();
    const layout = await openLayout(folderFiles(folder.path, fullAfter(files)));
    await assert.rejects(content.writeTo(layout, root.digest, 'latest'), isFull, `after ${files} files`);
    const left = everything(folder.path);
    assert.equal(left.length, files);
    assert.deepEqual(
      left.filter((name) => name.endsWith('.tmp')),
      [],
    );
    const again = await openLayout(folderFiles(folder.path));
    await assert.rejects(requireImage(again, 'latest'), /no such image/);
    // With space again, it goes on from there.
    await content.writeTo(again, root.digest, 'latest');
    assert.equal((await requireImage(again, 'latest')).digest, root.digest);
  }
});

test('an archive is there whole or not at all; the old one stays when the new one fails', async () => {
  using folder = makeTestFolder();
  const file = join(folder.path, 'image.tar');
  const [a, b] = [testImage('a'), testImage('b')];
  const full = await openLayout(await archiveFiles(file, fullAfter(0)));
  await assert.rejects(a.content.writeTo(full, a.root.digest, 'latest'), isFull);
  assert.deepEqual(everything(folder.path), []);
  await a.content.writeTo(await openLayout(await archiveFiles(file)), a.root.digest, 'latest');
  const before = readFileSync(file);
  const again = await openLayout(await archiveFiles(file, fullAfter(0)));
  await assert.rejects(b.content.writeTo(again, b.root.digest, 'latest'), isFull);
  assert.deepEqual(readFileSync(file), before);
  assert.deepEqual(everything(folder.path), ['image.tar']);
});

test('a file where a folder should be is one clear sentence', async () => {
  using folder = makeTestFolder({ image: 'a file' });
  await assert.rejects(
    replaceFile(join(folder.path, 'image/index.json'), Buffer.from('{}')),
    /Cannot write the image: a file is in the way of a folder/,
  );
});
