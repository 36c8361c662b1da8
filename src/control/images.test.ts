/** Who may bring code into the gateway by way of a registry, and who may not. */
import assert from 'node:assert/strict';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { NO_TRUST_NEEDED, moduleOf, temporaryFolder } from '../../test/support/control.ts';
import { openTestRegistry, testImage, testKeys } from '../../test/support/images.ts';
import { type FakeRegistry, startFakeRegistry } from '../../test/support/registry.ts';
import { digestOf } from '../artifacts/digest.ts';
import { ImageContent } from '../artifacts/oci/content.ts';
import { CONFIG, LAYER_GZIP, MANIFEST } from '../artifacts/oci/media-types.ts';
import { makeLayer } from '../artifacts/oci/layer.ts';
import { openRegistry } from '../artifacts/oci/registry/registry.ts';
import { signImage } from '../artifacts/oci/signing/signatures.ts';
import type { ImageTrust } from '../model/code-source.ts';
import { MayflyError } from '../model/errors.ts';
import { createImages } from './images.ts';

const problem =
  (code: string, text = /./) =>
  (error: unknown) =>
    error instanceof MayflyError && error.code === code && text.test(error.message);

const pairs = { ours: testKeys(), theirs: testKeys() };

async function setUp() {
  const registry = await startFakeRegistry();
  const folder = temporaryFolder();
  const { content, root } = testImage('a');
  const repository = openTestRegistry(`${registry.host}/shop/orders`);
  await content.writeTo(repository, root.digest, '1');
  const keyFile = join(folder.path, 'ours.pub');
  writeFileSync(keyFile, pairs.ours.pem);
  const trust: ImageTrust = { ...NO_TRUST_NEEDED, keyFiles: [keyFile] };
  const open: typeof openRegistry = (reference, options) =>
    openRegistry(reference, { ...options, sleep: async () => {} });
  const images = createImages(join(folder.path, 'images'), {}, open);
  const source = (digest = root.digest) =>
    ({ type: 'image', reference: `oci://${registry.host}/shop/orders@${digest}` }) as const;
  const sign = async (pair: keyof typeof pairs, digest = root.digest) => {
    await signImage(repository, { digest, identity: '', ...pairs[pair] });
  };
  return {
    registry,
    folder,
    root,
    repository,
    trust,
    images,
    source,
    sign,
    async [Symbol.asyncDispose]() {
      folder[Symbol.dispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

const signatureTag = (digest: string) => `shop/orders:${digest.replace(':', '-')}.sig`;

function change(registry: FakeRegistry, key: string, edit: (text: string) => string): void {
  const kept = registry.manifests.get(key) as { bytes: Buffer; type: string };
  registry.manifests.set(key, { ...kept, bytes: Buffer.from(edit(kept.bytes.toString())) });
}

test('an image by its digest gives the module; by its tag it is refused', async () => {
  await using it = await setUp();
  const { images, source, registry } = it;
  assert.deepEqual(Buffer.from(await images.pull(source(), NO_TRUST_NEEDED)), Buffer.from(moduleOf('a')));
  const byTag = { type: 'image', reference: `oci://${registry.host}/shop/orders:1` } as const;
  await assert.rejects(images.pull(byTag, NO_TRUST_NEEDED), problem('image-not-pinned'));
  const unknown = source(digestOf(Buffer.from('nobody')));
  await assert.rejects(images.pull(unknown, NO_TRUST_NEEDED), problem('no-such-image'));
});

test('with keys, only what one of them signed comes in', async () => {
  await using it = await setUp();
  const { images, source, trust, sign } = it;
  await assert.rejects(images.pull(source(), trust), problem('image-not-trusted', /it is not signed/));
  await sign('theirs');
  await assert.rejects(
    images.pull(source(), trust),
    problem('image-not-trusted', /by a key that is trusted/),
  );
  await sign('ours');
  assert.deepEqual(Buffer.from(await images.pull(source(), trust)), Buffer.from(moduleOf('a')));
});

test('a payload that was changed in the registry is not what its manifest names', async () => {
  await using it = await setUp();
  const { images, source, trust, sign, registry, root } = it;
  await sign('ours');
  const manifest = registry.manifests.get(signatureTag(root.digest))?.bytes.toString() ?? '';
  const payload = (JSON.parse(manifest) as { layers: { digest: string }[] }).layers[0]?.digest ?? '';
  const honest = registry.blobs.get(payload) as Buffer;
  registry.blobs.set(payload, Buffer.from(honest.toString().replace('cosign', 'Cosign')));
  await assert.rejects(images.pull(source(), trust), problem('bad-image', /does not match its digest/));
  registry.blobs.set(payload, honest);
  assert.deepEqual(Buffer.from(await images.pull(source(), trust)), Buffer.from(moduleOf('a')));
});

test('a tampered payload that the manifest was made to fit is refused by the signature', async () => {
  await using it = await setUp();
  const { images, source, trust, sign, registry, root } = it;
  const evil = testImage('evil');
  await evil.content.writeTo(it.repository, evil.root.digest, null);
  await sign('ours');
  const tag = signatureTag(root.digest);
  const manifest = registry.manifests.get(tag)?.bytes.toString() ?? '';
  const { layers } = JSON.parse(manifest) as { layers: { digest: string }[] };
  const payload = registry.blobs.get(layers[0]?.digest ?? '') as Buffer;
  const forged = Buffer.from(payload.toString().replace(root.digest, evil.root.digest));
  registry.blobs.set(digestOf(forged), forged);
  change(registry, tag, (text) => text.replaceAll(digestOf(payload), digestOf(forged)));
  registry.manifests.set(
    signatureTag(evil.root.digest),
    registry.manifests.get(tag) as { bytes: Buffer; type: string },
  );
  await assert.rejects(
    images.pull(source(evil.root.digest), trust),
    problem('image-not-trusted', /none of its signatures/),
  );
});

test('the signature of another image is no signature of this one', async () => {
  await using it = await setUp();
  const { images, source, trust, sign, registry, root } = it;
  const evil = testImage('evil');
  await evil.content.writeTo(it.repository, evil.root.digest, null);
  await sign('ours');
  registry.manifests.set(
    signatureTag(evil.root.digest),
    registry.manifests.get(signatureTag(root.digest)) as { bytes: Buffer; type: string },
  );
  await assert.rejects(
    images.pull(source(evil.root.digest), trust),
    problem('image-not-trusted', new RegExp(`for another image, ${root.digest}`)),
  );
});

test('a manifest that was changed in the registry is not what its digest says', async () => {
  await using it = await setUp();
  const { images, source, trust, sign, registry, root } = it;
  await sign('ours');
  change(registry, `shop/orders:${root.digest}`, (text) => text.replace('orders', 'evil'));
  await assert.rejects(images.pull(source(), trust), problem('bad-image', /something else than/));
});

test('what was fetched once needs no registry, and is checked as before', async () => {
  await using it = await setUp();
  const { images, source, trust, sign, registry, folder } = it;
  await sign('ours');
  await images.pull(source(), trust);
  await registry[Symbol.asyncDispose]();
  assert.deepEqual(Buffer.from(await images.pull(source(), trust)), Buffer.from(moduleOf('a')));
  const stranger = join(folder.path, 'theirs.pub');
  writeFileSync(stranger, pairs.theirs.pem);
  await assert.rejects(
    images.pull(source(), { ...trust, keyFiles: [stranger] }),
    problem('registry-unreachable'),
  );
  rmSync(join(folder.path, 'images'), { recursive: true });
  await assert.rejects(images.pull(source(), trust), problem('registry-unreachable'));
});

test('an image that is damaged in the state folder is fetched again', async () => {
  await using it = await setUp();
  const { images, source, sign, trust, folder } = it;
  await sign('ours');
  await images.pull(source(), trust);
  for (const name of readdirSync(join(folder.path, 'images'), { recursive: true, withFileTypes: true })) {
    if (name.isFile() && name.parentPath.endsWith('sha256'))
      writeFileSync(join(name.parentPath, name.name), 'damaged');
  }
  assert.deepEqual(Buffer.from(await images.pull(source(), trust)), Buffer.from(moduleOf('a')));
});

test('what nobody refers to is let go', async () => {
  await using it = await setUp();
  const { images, source, folder } = it;
  await images.pull(source(), NO_TRUST_NEEDED);
  await images.keepOnly([source().reference, '/some/path', 'upload']);
  assert.equal(readdirSync(join(folder.path, 'images')).length, 1);
  await images.keepOnly(['/some/path']);
  assert.deepEqual(readdirSync(join(folder.path, 'images')), []);
});

test("an image of Docker's gives /app.wasm; one with a hostile layer gives nothing", async () => {
  await using it = await setUp();
  const build = async (name: string) => {
    const content = new ImageContent();
    const layer = makeLayer([{ name, bytes: moduleOf('docker') }]);
    const config = {
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [layer.diffId] },
    };
    const root = content.manifest(
      {
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: content.json(config, CONFIG),
        layers: [content.blob(layer.bytes, LAYER_GZIP)],
      } as { mediaType: string },
      true,
    );
    await content.writeTo(it.repository, root.digest, null);
    return it.images.pull(it.source(root.digest), NO_TRUST_NEEDED);
  };
  assert.deepEqual(Buffer.from(await build('app.wasm')), Buffer.from(moduleOf('docker')));
  await assert.rejects(build('../app.wasm'), problem('bad-image', /leads out of it/));
  await assert.rejects(build('other.wasm'), problem('no-function', /no function in the image/));
});
