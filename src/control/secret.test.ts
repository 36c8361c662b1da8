import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { temporaryFolder } from '../../test/support/control.ts';
import type { MayflyError } from '../model/errors.ts';
import { readOrCreateSecret } from './secret.ts';

test('a secret is made once, with 32 random bytes, for its owner only', () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'deep/er/token');
  const secret = readOrCreateSecret(file, 'the token');
  assert.equal(Buffer.from(secret, 'base64url').length, 32);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(join(folder.path, 'deep')).mode & 0o077, 0);
  assert.equal(readOrCreateSecret(file, 'the token'), secret);
  assert.deepEqual(readdirSync(join(folder.path, 'deep/er')), ['token']);
  assert.notEqual(readOrCreateSecret(join(folder.path, 'other'), 'the token'), secret);
});

test("a secret that is there already is taken as it is, its owner's line end apart", () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, 'token'), 'my own\n');
  assert.equal(readOrCreateSecret(join(folder.path, 'token'), 'the token'), 'my own');
});

test('an empty file or a folder in its place is one clear sentence', () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'token');
  writeFileSync(file, ' \n');
  assert.throws(() => readOrCreateSecret(file, 'the token'), /Cannot use the token: the file is empty/);
  mkdirSync(join(folder.path, 'folder'));
  assert.throws(
    () => readOrCreateSecret(join(folder.path, 'folder'), 'the token'),
    /Cannot read the token: EISDIR/,
  );
  assert.throws(
    () => readOrCreateSecret(join(file, 'below'), 'the token'),
    (error: MayflyError) => error.code === 'secret-file',
  );
});

test('of many that start at once, all get the same secret', async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'token');
  const module = new URL('./secret.ts', import.meta.url).href;
  const code = `
    const { readOrCreateSecret } = await import(${JSON.stringify(module)});
    const { parentPort } = await import('node:worker_threads');
    parentPort.postMessage(readOrCreateSecret(${JSON.stringify(file)}, 'the token'));`;
  const secrets = await Promise.all(
    Array.from({ length: 6 }, () => {
      const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
      return new Promise<string>((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
    }),
  );
  assert.deepEqual(new Set(secrets), new Set([readFileSync(file, 'utf8').trim()]));
});
