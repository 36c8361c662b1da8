/** The image of the platform, put together without Docker. The same files give the same bytes. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImageContent } from '../../src/artifacts/oci/content.ts';
import type { Descriptor } from '../../src/artifacts/oci/documents.ts';
import { makeLayer } from '../../src/artifacts/oci/layer.ts';
import { CONFIG, LAYER_GZIP, MANIFEST } from '../../src/artifacts/oci/media-types.ts';
import { VERSION } from '../../src/model/version.ts';
import { dependencyLayer, HOME, type Libraries, productLayer, systemLayer } from './contents.ts';

export interface LayerSize {
  readonly name: string;
  /** Compressed, in bytes. */
  readonly bytes: number;
}

export interface PlatformImage {
  readonly content: ImageContent;
  readonly root: Descriptor;
  readonly layers: readonly LayerSize[];
}

/** The beginning of time: an image says what is in it, not when it was made. */
const CREATED = '1970-01-01T00:00:00Z';
/** Beyond it, Node's 150 MB take three times as long to be 1 % smaller. */
const COMPRESSION = 6;

const DOCUMENTATION = {
  'org.opencontainers.image.title': 'mayfly',
  'org.opencontainers.image.version': VERSION,
  'org.opencontainers.image.licenses': 'Apache-2.0',
};

/** `root`: of the project. Builds the product in a folder of its own. */
export function makePlatformImage(root: string, libraries: Libraries): PlatformImage {
  const dist = mkdtempSync(join(tmpdir(), 'mayfly-image-'));
  try {
    const build = [join(root, 'scripts/build.ts'), '--out', dist];
    const { status } = spawnSync(process.execPath, build, { stdio: 'inherit' });
    if (status !== 0) throw new Error('the product could not be built');
    return assemble(root, dist, libraries);
  } finally {
    rmSync(dist, { recursive: true, force: true });
  }
}

function assemble(root: string, dist: string, libraries: Libraries): PlatformImage {
  const content = new ImageContent();
  const layers = [
    { name: `Node ${process.versions.node} and its libraries`, files: systemLayer(root, libraries) },
    { name: 'dependencies', files: dependencyLayer(root) },
    { name: `Mayfly ${VERSION}`, files: productLayer(root, dist) },
  ].map(({ name, files }) => ({ name, layer: makeLayer(files, COMPRESSION) }));
  const config = {
    created: CREATED,
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: {
      User: '65534:65534',
      Env: ['PATH=/usr/local/bin:/usr/bin:/bin'],
      Entrypoint: ['/usr/local/bin/node', `/${HOME}/mayfly/bin/mayfly.js`],
      WorkingDir: '/tmp',
      Labels: DOCUMENTATION,
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ layer }) => layer.diffId) },
    history: layers.map(({ name }) => ({ created: CREATED, created_by: name })),
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: content.json(config, CONFIG),
    layers: layers.map(({ layer }) => content.blob(layer.bytes, LAYER_GZIP)),
    annotations: DOCUMENTATION,
  };
  return {
    content,
    root: content.manifest(manifest, true),
    layers: layers.map(({ name, layer }) => ({ name, bytes: layer.bytes.length })),
  };
}
