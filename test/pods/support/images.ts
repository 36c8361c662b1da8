/** Images for the test node, as archives that containerd imports. */
import { join } from 'node:path';
import { ImageContent } from '../../../src/artifacts/oci/content.ts';
import type { Descriptor } from '../../../src/artifacts/oci/documents.ts';
import { buildImage } from '../../../src/artifacts/oci/image.ts';
import { makeLayer } from '../../../src/artifacts/oci/layer.ts';
import { openLocation, parseLocation } from '../../../src/artifacts/oci/location.ts';
import { CONFIG, LAYER_GZIP, MANIFEST } from '../../../src/artifacts/oci/media-types.ts';
import type { PodNode } from './node.ts';

const CREATED = new Date(0);

/** The image that `mayfly image build` makes of a pod module. Returns its bytes as a registry would hold them. */
export async function importPod(node: PodNode, name: string, pod: Uint8Array): Promise<number> {
  const content = new ImageContent();
  const root = buildImage({ pod, function: null, created: CREATED, annotations: {} }, content);
  await importContent(node, name, content, root);
  return [...content.blobs.values()].reduce((sum, { length }) => sum + length, 0);
}

/** An image of a few files, for programs of Linux. */
export async function importFiles(
  node: PodNode,
  name: string,
  files: Readonly<Record<string, Uint8Array>>,
  entrypoint: readonly string[],
): Promise<void> {
  const content = new ImageContent();
  const layer = makeLayer(Object.entries(files).map(([path, bytes]) => ({ name: path, bytes, mode: 0o755 })));
  const config = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Entrypoint: entrypoint },
    rootfs: { type: 'layers', diff_ids: [layer.diffId] },
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: content.json(config, CONFIG),
    layers: [content.blob(layer.bytes, LAYER_GZIP)],
  };
  await importContent(node, name, content, content.manifest(manifest, true));
}

let archives = 0;

export async function importContent(
  node: PodNode,
  name: string,
  content: ImageContent,
  root: Descriptor,
): Promise<void> {
  archives += 1;
  const archive = join(node.folder, `image-${archives}.tar`);
  const repository = await openLocation(parseLocation(archive), { env: {} });
  const [repositoryName, tag] = name.split(':') as [string, string];
  await content.writeTo(repository, root.digest, tag);
  node.importImage(archive, repositoryName);
}
