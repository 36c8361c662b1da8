/** What every place for images promises, asked of all of them. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { moduleOf } from '../../../test/support/control.ts';
import { makeTestFolder, type TestFolder } from '../../../test/support/folder.ts';
import { openTestRegistry, testImage, testKeys } from '../../../test/support/images.ts';
import { startFakeRegistry } from '../../../test/support/registry.ts';
import { MayflyError } from '../../model/errors.ts';
import { digestOf } from '../digest.ts';
import { copyImage } from './copy.ts';
import { readFunction } from './function-artifact.ts';
import { inspectImage } from './inspect.ts';
import { openLocation, parseLocation } from './location.ts';
import { SBOM } from './media-types.ts';
import { requireImage, type Repository } from './repository.ts';
import { judge, readSignatures, signImage } from './signing/signatures.ts';

const code = (wanted: string) => (error: unknown) => error instanceof MayflyError && error.code === wanted;

interface Place extends AsyncDisposable {
  /** Opens the same place anew. */
  open(): Promise<Repository>;
}

const onDisk = (name: string) => async (): Promise<Place> => {
  const folder = makeTestFolder();
  return {
    open: () => openLocation(parseLocation(join(folder.path, name)), { env: {} }),
    [Symbol.asyncDispose]: async () => folder[Symbol.dispose](),
  };
};

const inRegistry = (referrers: boolean) => async (): Promise<Place> => {
  const registry = await startFakeRegistry({ referrers });
  return {
    open: async () => openTestRegistry(`${registry.host}/shop/orders`),
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  };
};

const places: Record<string, () => Promise<Place>> = {
  'a layout folder': onDisk('image'),
  'an archive': onDisk('image.tar'),
  'a registry without referrers': inRegistry(false),
  'a registry with referrers': inRegistry(true),
};

const { privateKey, publicKey } = testKeys();

for (const [name, make] of Object.entries(places)) {
  test(`${name}: an image with what is attached and its signature is there again, whole`, async () => {
    await using place = await make();
    const { content, root } = testImage('a');
    content.attach(root, { bomFormat: 'CycloneDX' }, SBOM);
    await content.writeTo(await place.open(), root.digest, '1.0');
    const signing = await place.open();
    assert.equal(
      await signImage(signing, { digest: root.digest, identity: 'here', privateKey, publicKey }),
      true,
    );
    assert.equal(
      await signImage(signing, { digest: root.digest, identity: 'here', privateKey, publicKey }),
      false,
    );

    const again = await place.open();
    assert.equal((await requireImage(again, '1.0')).digest, root.digest);
    assert.equal((await requireImage(again, root.digest)).digest, root.digest);
    const image = await requireImage(again, '1.0');
    assert.deepEqual(Buffer.from(await readFunction(again, image)), Buffer.from(moduleOf('a')));
    const report = await inspectImage(again, '1.0');
    assert.deepEqual(
      report.parts.map(({ platform }) => platform),
      ['linux/amd64', 'linux/arm64', 'wasi/wasm', 'function'],
    );
    assert.deepEqual(
      report.attached.map(({ type }) => type),
      [SBOM],
    );
    assert.deepEqual(report.signatures, [{ digest: root.digest, identity: 'here' }]);
    assert.deepEqual(judge(await readSignatures(again, root.digest), root.digest, [publicKey]).ok, true);
  });

  test(`${name}: a tag moves to its new image, the old one stays under its digest`, async () => {
    await using place = await make();
    const [a, b] = [testImage('a'), testImage('b')];
    for (const { content, root } of [a, b]) await content.writeTo(await place.open(), root.digest, 'latest');
    const again = await place.open();
    assert.equal((await requireImage(again, 'latest')).digest, b.root.digest);
    assert.equal((await requireImage(again, a.root.digest)).digest, a.root.digest);
    await assert.rejects(requireImage(again, 'other'), code('no-such-image'));
    await assert.rejects(requireImage(again, digestOf(Buffer.from('nobody'))), code('no-such-image'));
  });

  for (const [other, makeOther] of Object.entries(places)) {
    test(`from ${name} to ${other}: everything goes along, and a second time nothing has to`, async () => {
      await using from = await make();
      await using to = await makeOther();
      const { content, root } = testImage('a');
      content.attach(root, { bomFormat: 'CycloneDX' }, SBOM);
      const source = await from.open();
      await content.writeTo(source, root.digest, 'latest');
      await signImage(source, { digest: root.digest, identity: 'here', privateKey, publicKey });
      const target = await to.open();
      const order = { reference: 'latest', tag: '2.0' };
      const first = await copyImage(source, target, order);
      await target.finish();
      assert.deepEqual(
        { digest: first.digest, attached: first.attached },
        { digest: root.digest, attached: 2 },
      );
      const again = await to.open();
      assert.deepEqual(
        { ...(await inspectImage(again, '2.0')), name: '' },
        { ...(await inspectImage(source, 'latest')), name: '' },
      );
      assert.equal((await copyImage(source, again, order)).blobs, 0);
    });
  }
}

function filesUnder(folder: TestFolder): string[] {
  return readdirSync(folder.path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

test('a part that is missing or changed on disk is found, whatever part it is', async () => {
  using folder = makeTestFolder();
  const { content, root } = testImage('a');
  const location = parseLocation(folder.path);
  await content.writeTo(await openLocation(location, { env: {} }), root.digest, 'latest');
  const read = async () => {
    using target = makeTestFolder();
    const to = await openLocation(parseLocation(join(target.path, 'copy.tar')), { env: {} });
    await copyImage(await openLocation(location, { env: {} }), to, { reference: 'latest', tag: 'latest' });
  };
  await read();
  for (const blob of readdirSync(join(folder.path, 'blobs/sha256'))) {
    const file = join(folder.path, 'blobs/sha256', blob);
    const bytes = readFileSync(file);
    const changed = Buffer.from(bytes);
    changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
    for (const damage of [changed, bytes.subarray(1), Buffer.alloc(0)]) {
      writeFileSync(file, damage);
      await assert.rejects(read(), code('bad-image'), blob);
    }
    writeFileSync(file, bytes);
  }
  await read();
});

test('several images in one folder: which one has to be said', async () => {
  using folder = makeTestFolder();
  const open = () => openLocation(parseLocation(folder.path), { env: {} });
  for (const text of ['a', 'b']) {
    const { content, root } = testImage(text);
    await content.writeTo(await open(), root.digest, text);
  }
  await assert.rejects(requireImage(await open(), null), /there are 2 images in it.*add :TAG/);
  assert.equal((await requireImage(await open(), 'a')).digest, testImage('a').root.digest);
});

test('a folder of something else is no image', async () => {
  using folder = makeTestFolder({ 'index.json': '{"schemaVersion":2,"config":1}', 'notes.txt': 'x' });
  await assert.rejects(openLocation(parseLocation(folder.path), { env: {} }), code('bad-image'));
  await assert.rejects(
    requireImage(await openLocation(parseLocation(join(folder.path, 'nothing')), { env: {} }), null),
    code('no-such-image'),
  );
  await assert.rejects(
    openLocation(parseLocation(folder.write('x.tar', 'this is no tar')), { env: {} }),
    code('bad-image'),
  );
  assert.deepEqual(filesUnder(folder).toSorted(), ['index.json', 'notes.txt', 'x.tar']);
});
