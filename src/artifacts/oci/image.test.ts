import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { moduleOf } from '../../../test/support/control.ts';
import { makeTestFolder } from '../../../test/support/folder.ts';
import { testImage } from '../../../test/support/images.ts';
import { digestOf } from '../digest.ts';
import { ImageContent } from './content.ts';
import { type ImageConfig, parseConfig, parseDocument } from './documents.ts';
import { folderFiles } from './files.ts';
import { readFunction } from './function-artifact.ts';
import { PLATFORMS } from './image.ts';
import { fileInLayers, unpackLayer } from './layer.ts';
import { openLayout } from './layout.ts';
import { CONFIG, FUNCTION, LAYER_GZIP, MANIFEST, WASM, WASM_CONFIG } from './media-types.ts';
import { readChild, requireImage, type Repository } from './repository.ts';
import { readTar } from './tar-read.ts';
import { writeTar } from './tar-write.ts';

/** Root filesystem and configuration of one platform, as a runtime would have them. */
async function unpack(repository: Repository, platform: string) {
  const root = parseDocument((await requireImage(repository, null)).bytes, 'test');
  assert.equal(root.type, 'index');
  const index = root.type === 'index' ? root.index : { manifests: [] };
  const child = index.manifests.find(
    (item) => `${item.platform?.os}/${item.platform?.architecture}` === platform,
  );
  assert.ok(child !== undefined, platform);
  const { document } = await readChild(repository, child);
  assert.equal(document.type, 'image');
  const manifest = document.type === 'image' ? document.manifest : assert.fail();
  const config = parseConfig(await repository.blob(manifest.config), 'test');
  const [layer] = manifest.layers;
  assert.ok(layer !== undefined && manifest.layers.length === 1);
  const tar = unpackLayer(await repository.blob(layer), layer, config.rootfs.diff_ids[0], 'test');
  return { manifest, config, layer, tar, app: fileInLayers([tar], 'app.wasm', 'test') };
}

test('the same input has the same digest; other input, another', () => {
  const { root } = testImage('a');
  assert.equal(testImage('a').root.digest, root.digest);
  assert.notEqual(testImage('b').root.digest, root.digest);
  assert.notEqual(testImage('a', { created: new Date(86_400_000) }).root.digest, root.digest);
  assert.notEqual(testImage('a', { annotations: { x: 'y' } }).root.digest, root.digest);
});

test('one layer for all platforms, and everything that runtimes look for', async () => {
  using folder = makeTestFolder();
  const repository = await openLayout(folderFiles(folder.path));
  const { content, root } = testImage('a');
  await content.writeTo(repository, root.digest, 'latest');
  const layers = new Set<string>();
  for (const platform of PLATFORMS) {
    const { manifest, config, layer, app } = await unpack(repository, platform);
    assert.deepEqual(Buffer.from(app ?? []), Buffer.from(moduleOf('pod a')));
    assert.equal(`${config.os}/${config.architecture}`, platform);
    assert.deepEqual(config.config?.Entrypoint, ['/app.wasm']);
    assert.equal(config.config?.User, '65534:65534');
    assert.deepEqual(config.config?.['ExposedPorts'], { '8080/tcp': {} });
    assert.equal(config.created, '1970-01-01T00:00:00Z');
    for (const said of [manifest.annotations, config.config?.Labels]) {
      assert.equal(said?.['module.wasm.image/variant'], 'compat-smart');
      assert.equal(said?.['run.oci.handler'], 'wasm');
      assert.equal(said?.['org.opencontainers.image.title'], 'orders');
    }
    layers.add(layer.digest);
  }
  assert.equal(layers.size, 1);
});

test('a compiled variant replaces the pod on its platform only', async () => {
  using folder = makeTestFolder();
  const repository = await openLayout(folderFiles(folder.path));
  const { content, root } = testImage('a', { compiled: { 'linux/amd64': moduleOf('machine code') } });
  await content.writeTo(repository, root.digest, null);
  assert.deepEqual(
    Buffer.from((await unpack(repository, 'linux/amd64')).app ?? []),
    Buffer.from(moduleOf('machine code')),
  );
  assert.deepEqual(
    Buffer.from((await unpack(repository, 'linux/arm64')).app ?? []),
    Buffer.from(moduleOf('pod a')),
  );
});

test('the function is a Wasm artifact that no container runtime picks', async () => {
  using folder = makeTestFolder();
  const repository = await openLayout(folderFiles(folder.path));
  const { content, root } = testImage('a');
  await content.writeTo(repository, root.digest, null);
  const document = parseDocument((await requireImage(repository, root.digest)).bytes, 'test');
  const [entry, ...others] = (document.type === 'index' ? document.index.manifests : []).filter(
    ({ artifactType }) => artifactType === FUNCTION,
  );
  assert.ok(entry !== undefined && others.length === 0);
  assert.deepEqual(entry.platform, { architecture: 'wasm', os: 'wasip1' });
  const { document: inner } = await readChild(repository, entry);
  const manifest = inner.type === 'image' ? inner.manifest : assert.fail();
  assert.equal(manifest.config.mediaType, WASM_CONFIG);
  assert.deepEqual(
    manifest.layers.map(({ mediaType }) => mediaType),
    [WASM],
  );
  const config = JSON.parse(Buffer.from(await repository.blob(manifest.config)).toString()) as Record<
    string,
    unknown
  >;
  assert.deepEqual(config['layerDigests'], [digestOf(moduleOf('a'))]);
  assert.equal(manifest.annotations?.['dev.mayfly.function.kind'], 'handler');
  assert.deepEqual(
    Buffer.from(await readFunction(repository, await requireImage(repository, null))),
    Buffer.from(moduleOf('a')),
  );
});

test("the shop's Dockerfile comes to the same image: same root filesystem, same configuration", async () => {
  using folder = makeTestFolder();
  const ours = await openLayout(folderFiles(`${folder.path}/ours`));
  const built = testImage('a');
  await built.content.writeTo(ours, built.root.digest, null);

  // The Dockerfile of docs/guides/images.md as BuildKit writes it:
  // one layer with times and its own compression, no index, a platform in the configuration.
  const content = new ImageContent();
  const tar = writeTar([{ name: 'app.wasm', bytes: moduleOf('pod a'), mode: 0o755 }]);
  const config = {
    architecture: 'amd64',
    os: 'linux',
    created: '2026-11-22T10:00:00.123456789Z',
    config: {
      User: '65534:65534',
      ExposedPorts: { '8080/tcp': {} },
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      Entrypoint: ['/app.wasm'],
      WorkingDir: '/',
      Labels: { 'module.wasm.image/variant': 'compat-smart', 'run.oci.handler': 'wasm' },
    },
    rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
    history: [
      { created_by: 'COPY app.wasm /app.wasm # buildkit' },
      { created_by: 'USER 65534:65534', empty_layer: true },
      { created_by: 'EXPOSE [8080/tcp]', empty_layer: true },
      { created_by: 'ENTRYPOINT ["/app.wasm"]', empty_layer: true },
    ],
  };
  const root = content.manifest(
    {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: content.json(config, CONFIG),
      layers: [content.blob(gzipSync(tar, { level: 1 }), LAYER_GZIP)],
    } as { mediaType: string },
    true,
  );
  const theirs = await openLayout(folderFiles(`${folder.path}/theirs`));
  await content.writeTo(theirs, root.digest, null);

  const mine = await unpack(ours, 'linux/amd64');
  const meaning = ({ config: settings }: ImageConfig) => ({
    entrypoint: settings?.Entrypoint,
    command: settings?.Cmd,
    user: settings?.User,
    ports: settings?.['ExposedPorts'],
    folder: settings?.['WorkingDir'],
    variant: settings?.Labels?.['module.wasm.image/variant'],
    handler: settings?.Labels?.['run.oci.handler'],
  });
  const other = parseDocument((await requireImage(theirs, null)).bytes, 'test');
  const manifest = other.type === 'image' ? other.manifest : assert.fail();
  const settings = parseConfig(await theirs.blob(manifest.config), 'test');
  assert.deepEqual(meaning(settings), meaning(mine.config));
  const [theirLayer] = manifest.layers;
  assert.ok(theirLayer !== undefined && manifest.layers.length === 1);
  const theirTar = unpackLayer(
    await theirs.blob(theirLayer),
    theirLayer,
    settings.rootfs.diff_ids[0],
    'test',
  );
  assert.deepEqual([...readTar(theirTar, 'test')], [...readTar(mine.tar, 'test')]);
  // The gateway finds the module in Docker's image too, where it is a function.
  assert.deepEqual(await readFunction(theirs, await requireImage(theirs, null)), Buffer.from(mine.app ?? []));
});
