/**
 * Builds the image of a function: one index with the pod for Linux on both usual architectures and for Wasm runtimes, and
 * beside it the function itself, which the gateway runs. Pure: the same input gives the same digest.
 */
import { ImageContent } from './content.ts';
import type { Descriptor } from './documents.ts';
import { type FunctionModule, writeFunction } from './function-artifact.ts';
import { makeLayer, type Layer } from './layer.ts';
import { CONFIG, INDEX, LAYER_GZIP, MANIFEST } from './media-types.ts';

/** Where the pod runs. containerd picks by the machine's own; `wasi/wasm` is asked for by name. */
export const PLATFORMS = ['linux/amd64', 'linux/arm64', 'wasi/wasm'] as const;
export type PlatformName = (typeof PLATFORMS)[number];

export interface ImageInput {
  /** The module that serves HTTP by itself, `/app.wasm`; null: the image is for the gateway only. */
  readonly pod: Uint8Array | null;
  /** Compiled variants that replace the pod on one platform. */
  readonly compiled?: Partial<Readonly<Record<PlatformName, Uint8Array>>>;
  /** What the gateway runs; null: the image is for containers only. */
  readonly function: FunctionModule | null;
  readonly created: Date;
  /** `org.opencontainers.image.*` and whatever else is to be said; also the labels of the containers. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** What crun and the shims of containerd look for to know that the entrypoint is WebAssembly. */
const RUNTIME_ANNOTATIONS = {
  'module.wasm.image/variant': 'compat-smart',
  'run.oci.handler': 'wasm',
} as const;

/** Not root: 65534 is `nobody` by custom. */
const USER = '65534:65534';

/** Returns the descriptor of the index; the content has everything that it refers to. */
export function buildImage(input: ImageInput, content: ImageContent): Descriptor {
  const created = input.created.toISOString().replace('.000Z', 'Z');
  const annotations = { 'org.opencontainers.image.created': created, ...input.annotations };
  const manifests = input.pod === null ? [] : podManifests(input, input.pod, created, annotations, content);
  if (input.function !== null) manifests.push(writeFunction(input.function, created, content));
  return content.manifest(
    { schemaVersion: 2, mediaType: INDEX, manifests, annotations } as { mediaType: string },
    true,
  );
}

function podManifests(
  { compiled = {} }: ImageInput,
  pod: Uint8Array,
  created: string,
  annotations: Readonly<Record<string, string>>,
  content: ImageContent,
): Descriptor[] {
  const portable = makeLayer(appFile(pod));
  return PLATFORMS.map((platform) => {
    const own = compiled[platform];
    const layer = own === undefined ? portable : makeLayer(appFile(own));
    const [os, architecture] = platform.split('/') as [string, string];
    const labels = { ...annotations, ...RUNTIME_ANNOTATIONS };
    const manifest = content.manifest(
      {
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: content.json(podConfig(os, architecture, created, layer, labels), CONFIG),
        layers: [content.blob(layer.bytes, LAYER_GZIP)],
        annotations: labels,
      } as { mediaType: string },
      false,
    );
    return { ...manifest, platform: { architecture, os } };
  });
}

function appFile(bytes: Uint8Array) {
  return [{ name: 'app.wasm', bytes, mode: 0o755 }];
}

/** What `FROM scratch`, `COPY app.wasm /app.wasm`, `ENTRYPOINT ["/app.wasm"]`, `USER` and `EXPOSE` come to. */
function podConfig(
  os: string,
  architecture: string,
  created: string,
  layer: Layer,
  labels: Readonly<Record<string, string>>,
) {
  return {
    created,
    architecture,
    os,
    config: {
      User: USER,
      ExposedPorts: { '8080/tcp': {} },
      Entrypoint: ['/app.wasm'],
      WorkingDir: '/',
      Labels: labels,
    },
    rootfs: { type: 'layers', diff_ids: [layer.diffId] },
    history: [{ created, created_by: 'COPY app.wasm /app.wasm', comment: 'mayfly image build' }],
  };
}
