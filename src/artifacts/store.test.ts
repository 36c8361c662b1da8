import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { temporaryFolder } from '../../test/support/control.ts';
import { MayflyError } from '../model/errors.ts';
import { digestOf, hexOf, isDigest } from './digest.ts';
import { openArtifactStore } from './store.ts';

const code = (code: string) => (error: unknown) => error instanceof MayflyError && error.code === code;

function failWith(errno: string): Error {
  return Object.assign(new Error(`${errno}: it failed`), { code: errno });
}

test('what was put is there under its digest, and again after opening anew', async () => {
  using folder = temporaryFolder();
  const store = await openArtifactStore(folder.path);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), async (bytes) => {
      const digest = await store.put(bytes);
      assert.equal(digest, digestOf(bytes));
      assert.deepEqual(new Uint8Array(await store.get(digest)), bytes);
    }),
    { numRuns: 50 },
  );
  const again = await openArtifactStore(folder.path);
  assert.deepEqual(await again.get(await store.put(Buffer.from('x'))), Buffer.from('x'));
});

test('an artifact is looked up by digest only, never by a path', async () => {
  using folder = temporaryFolder();
  const store = await openArtifactStore(folder.path);
  const hostile = [
    '../../etc/passwd',
    'sha256:../x',
    `sha256:${'A'.repeat(64)}`,
    'md5:00',
    '',
    `sha256:${'a'.repeat(63)}/`,
  ];
  for (const digest of hostile) {
    assert.equal(isDigest(digest), false);
    await assert.rejects(store.get(digest), code('bad-digest'));
    assert.throws(() => hexOf(digest), code('bad-digest'));
  }
  await assert.rejects(store.get(digestOf(Buffer.from('nobody put me'))), code('artifact-missing'));
});

test('a damaged file is never handed out, and putting the bytes again heals it', async () => {
  using folder = temporaryFolder();
  const store = await openArtifactStore(folder.path);
  const bytes = Buffer.from('precious');
  const digest = await store.put(bytes);
  const file = join(folder.path, 'sha256', digest.slice(7));
  for (const damage of ['precioux', '', 'precious and more']) {
    writeFileSync(file, damage);
    await assert.rejects(store.get(digest), code('artifact-damaged'));
    assert.equal(await store.has(digest), false);
    assert.equal(await store.put(bytes), digest);
    assert.deepEqual(await store.get(digest), bytes);
  }
});

test('a full disk is one clear sentence and leaves nothing half-written', async () => {
  using folder = temporaryFolder();
  const store = await openArtifactStore(folder.path, {
    async writeDurably(path, bytes) {
      await writeFile(path, bytes.subarray(0, 3));
      throw failWith('ENOSPC');
    },
  });
  await assert.rejects(
    store.put(Buffer.from('too much')),
    /Cannot store the artifact: the disk is full \(.*\)\. Free some space/,
  );
  await assert.rejects(store.put(Buffer.from('too much')), code('disk-full'));
  assert.deepEqual(readdirSync(join(folder.path, 'sha256')), []);
  assert.deepEqual(readdirSync(join(folder.path, 'unfinished')), []);
});

test('what a killed process left half-written is cleared at the next start', async () => {
  using folder = temporaryFolder();
  mkdirSync(join(folder.path, 'unfinished'));
  writeFileSync(join(folder.path, 'unfinished/abc'), 'half');
  const store = await openArtifactStore(folder.path);
  assert.deepEqual(readdirSync(join(folder.path, 'unfinished')), []);
  assert.deepEqual(await store.collect(new Set()), { removed: 0, bytes: 0 });
});

test('only what nobody refers to is collected', async () => {
  using folder = temporaryFolder();
  const store = await openArtifactStore(folder.path);
  const kept = await store.put(Buffer.from('kept'));
  await store.put(Buffer.from('gone'));
  assert.deepEqual(await store.collect(new Set([kept])), { removed: 1, bytes: 4 });
  assert.deepEqual(readFileSync(join(folder.path, 'sha256', kept.slice(7)), 'utf8'), 'kept');
  await assert.rejects(store.get(digestOf(Buffer.from('gone'))), code('artifact-missing'));
});

test('a file where the folder should be is one clear sentence', async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, 'artifacts'), '');
  await assert.rejects(
    openArtifactStore(join(folder.path, 'artifacts')),
    /Cannot open the artifact store: a file is in the way of a folder/,
  );
});
