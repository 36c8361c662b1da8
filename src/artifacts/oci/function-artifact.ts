/**
 * The function in an image: a manifest with the module as a blob of its own, in the layout that Wasm tools share
 * (CNCF Wasm OCI artifact: configuration `application/vnd.wasm.config.v0+json`, one layer `application/wasm`).
 * Images without one, such as those that Docker built, are searched for `/app.wasm`.
 */
import { MayflyError } from '../../model/errors.ts';
import type { Kind } from '../../model/function.ts';
import type { ImageContent } from './content.ts';
import {
  type Descriptor,
  type ImageIndex,
  type ImageManifest,
  parseConfig,
  parseDocument,
  type Stored,
} from './documents.ts';
import { fileInLayers, unpackLayer } from './layer.ts';
import { limits } from './limits.ts';
import { FUNCTION, MANIFEST, WASM, WASM_CONFIG } from './media-types.ts';
import { badImage } from './refusal.ts';
import { readChild, type Repository } from './repository.ts';

export interface FunctionModule {
  readonly name: string;
  readonly kind: Kind;
  readonly wasm: Uint8Array;
}

/** As the Wasm layout has it; no container runtime picks it. */
const PLATFORM = { architecture: 'wasm', os: 'wasip1' };

export function writeFunction(
  { name, kind, wasm }: FunctionModule,
  created: string,
  content: ImageContent,
): Descriptor {
  const layer = content.blob(wasm, WASM);
  const { digest } = layer;
  // What Wasm tools read, and what readers that take every manifest for a container want to see.
  const rootfs = { type: 'layers', diff_ids: [digest] };
  const config = { created, ...PLATFORM, layerDigests: [digest], rootfs };
  const manifest = content.manifest(
    {
      schemaVersion: 2,
      mediaType: MANIFEST,
      artifactType: FUNCTION,
      config: content.json(config, WASM_CONFIG),
      layers: [layer],
      annotations: { 'org.opencontainers.image.title': name, 'dev.mayfly.function.kind': kind },
    } as { mediaType: string },
    false,
  );
  return { ...manifest, artifactType: FUNCTION, platform: PLATFORM };
}

/** The module of the function in an image. Throws MayflyError `bad-image`, `no-function`. */
export async function readFunction(repository: Repository, root: Stored): Promise<Uint8Array> {
  const where = `${repository.label}@${root.digest}`;
  const document = parseDocument(root.bytes, where);
  if (document.type === 'image') return readModule(repository, document.manifest, where);
  const child = chooseChild(document.index);
  if (child === undefined) throw noFunction(where);
  const { document: inner } = await readChild(repository, child);
  if (inner.type !== 'image') throw badImage('its manifest for the function is an index', where);
  return readModule(repository, inner.manifest, where);
}

/** The function's own manifest; else, in images of other builders, the container for this use. */
function chooseChild({ manifests }: ImageIndex): Descriptor | undefined {
  const on = (os: string, architecture: string) =>
    manifests.find(({ platform }) => platform?.os === os && platform.architecture === architecture);
  return (
    manifests.find(({ artifactType }) => artifactType === FUNCTION) ??
    on('wasi', 'wasm') ??
    on('linux', 'amd64')
  );
}

async function readModule(
  repository: Repository,
  manifest: ImageManifest,
  where: string,
): Promise<Uint8Array> {
  const [only] = manifest.layers;
  if (only?.mediaType === WASM && manifest.layers.length === 1) return repository.blob(only);
  if (manifest.artifactType !== undefined || manifest.layers.some(({ mediaType }) => mediaType === WASM)) {
    throw noFunction(where);
  }
  const config = parseConfig(await repository.blob(manifest.config), where);
  const tars: Uint8Array[] = [];
  let unpacked = 0;
  for (const [index, layer] of manifest.layers.entries()) {
    const tar = unpackLayer(await repository.blob(layer), layer, config.rootfs.diff_ids[index], where);
    unpacked += tar.length;
    if (unpacked > limits.unpackedBytes)
      throw badImage(`its layers unpack to more than ${limits.unpackedBytes} bytes`, where);
    tars.push(tar);
  }
  const wasm = fileInLayers(tars, 'app.wasm', where);
  if (wasm === null) throw noFunction(where);
  return wasm;
}

function noFunction(where: string): MayflyError {
  return new MayflyError('There is no function in the image', {
    where,
    fix: 'Build it with `mayfly image build`, or put the module at /app.wasm.',
    code: 'no-function',
  });
}
