/** A disk that is really full, under everything that writes a pod or an image: one sentence, and no part of a file. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { mayfly } from '../support/cli.ts';
import { makeTestFolder } from '../support/folder.ts';
import { missingPart, needPart } from '../support/parts.ts';
import { startRealRegistry } from '../support/real-registry.ts';
import { makeSmallDisk } from '../support/small-disk.ts';

const HELLO = join(import.meta.dirname, '../../examples/hello');

/** Every file below the folder, but those of the engine's own code cache. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('node-compile-cache'))
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .toSorted();
}

test('a full disk: build, --aot, image build, pull and push', async (t) => {
  using disk = makeSmallDisk(16);
  if (disk === undefined) return void missingPart(t, 'a disk of 16 KiB, which root can mount on Linux');
  const registryPart = await needPart(t, 'registry');
  const wasmedge = await needPart(t, 'wasmedge');
  if (registryPart === undefined || wasmedge === undefined) return;
  await using registry = await startRealRegistry(registryPart.paths.registry);
  using folder = makeTestFolder();
  for (const { path } of [folder, disk]) {
    cpSync(HELLO, join(path, 'hello'), { recursive: true, filter: (file) => !file.includes('.mayfly') });
  }
  const env = { HOME: folder.path, DOCKER_CONFIG: folder.path, MAYFLY_WASMEDGE: wasmedge.paths.wasmedge };
  const run = (args: readonly string[], more = {}) =>
    mayfly(args, { cwd: folder.path, env: { ...env, ...more } });
  const remote = `${registry.host}/shop/hello:1.0`;
  assert.equal((await run(['image', 'build', 'hello', '-o', remote])).code, 0);
  const pod = ['build', 'hello', '--target', 'wasmedge'];
  const before = filesIn(disk.path);
  const cases: readonly [what: string, args: readonly string[], env?: Record<string, string>][] = [
    ['keep the build', ['build', join(disk.path, 'hello'), '--target', 'wasmedge', '--out', 'x.wasm']],
    ['write the pod', [...pod, '--out', join(disk.path, 'pod.wasm')]],
    ['compile ahead of time', [...pod, '--aot', '--out', 'x.wasm'], { TMPDIR: disk.path }],
    ['write the image', ['image', 'build', 'hello', '-o', join(disk.path, 'image')]],
    ['write the image', ['image', 'build', 'hello', '-o', join(disk.path, 'image.tar')]],
    ['write the image', ['image', 'pull', remote, join(disk.path, 'pulled.tar')]],
    ['write the image', ['image', 'push', remote, join(disk.path, 'pushed')]],
  ];
  for (const [what, args, more] of cases) {
    const { code, err } = await run(args, more);
    assert.notEqual(code, 0, args.join(' '));
    assert.match(err, new RegExp(`^error Cannot ${what}: the disk is full`), args.join(' '));
    assert.ok(err.trim().split('\n').length <= 2, err);
    // A layout may have whole blobs in it, but nothing that could be taken for an image.
    const left: readonly string[] = filesIn(disk.path).filter(
      (file) => !/^(image|pushed)\/blobs\/sha256\/[0-9a-f]{64}$/.test(file),
    );
    assert.deepEqual(left, before, args.join(' '));
  }
  mkdirSync(join(folder.path, 'room'));
  assert.equal((await run([...pod, '--out', 'room/pod.wasm'])).code, 0);
});
