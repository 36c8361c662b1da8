/**
 * What `docker save` writes: a tar with `manifest.json` that names configuration and layers by file. Docker 25 and later
 * write an OCI layout beside it, which is read first; this is for the others. Writing puts a `manifest.json` into our own
 * archives, so that `docker load` takes them.
 */
import { z } from 'zod';
import { digestOf } from '../digest.ts';
import { type Descriptor, type ImageIndex, parseConfig, parseDocument, type Stored } from './documents.ts';
import type { LayoutFiles } from './files.ts';
import { limits } from './limits.ts';
import { CONFIG, LAYER_GZIP, LAYER_TAR, MANIFEST } from './media-types.ts';
import { badImage } from './refusal.ts';
import type { Repository } from './repository.ts';

const name = z.string().regex(/^(?!\/)(?!(.*\/)?\.\.(\/|$))[^\0]+$/, 'is not a path within the archive');
const schema = z
  .array(
    z.looseObject({
      Config: name,
      RepoTags: z.array(z.string()).nullish(),
      Layers: z.array(name).max(limits.children),
    }),
  )
  .max(limits.children);

/** Adds the blobs of an OCI layout to what is there, and returns its index; null when there is no `manifest.json`. */
export async function readDockerArchive(files: LayoutFiles): Promise<ImageIndex | null> {
  const bytes = await files.read('manifest.json', limits.manifestBytes);
  if (bytes === null) return null;
  const images = parseList(bytes, files.label);
  const manifests: Descriptor[] = [];
  for (const { Config, Layers, RepoTags } of images) {
    const config = await addBlob(files, Config, CONFIG);
    parseConfig((await files.read(Config, limits.manifestBytes)) as Uint8Array, files.label);
    const layers: Descriptor[] = [];
    for (const layer of Layers) layers.push(await addBlob(files, layer, null));
    const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers }));
    const digest = digestOf(manifest);
    await files.write(`blobs/sha256/${digest.slice(7)}`, manifest);
    const tag = RepoTags?.[0]?.split(':').at(-1);
    const annotations = tag === undefined ? undefined : { 'org.opencontainers.image.ref.name': tag };
    manifests.push({
      mediaType: MANIFEST,
      digest,
      size: manifest.length,
      ...(annotations && { annotations }),
    });
  }
  return { schemaVersion: 2, manifests };
}

/** `manifest.json` for an image in an archive that is otherwise an OCI layout: what this machine's Docker would run. */
export async function writeDockerManifest(
  repository: Repository,
  files: LayoutFiles,
  root: Stored,
  tag: string | null,
): Promise<void> {
  const document = parseDocument(root.bytes, repository.label);
  let manifest = document.type === 'image' ? document.manifest : null;
  if (document.type === 'index') {
    const linux = document.index.manifests.find(
      ({ platform }) => platform?.os === 'linux' && platform.architecture === 'amd64',
    );
    const child = linux === undefined ? null : await repository.find(linux.digest);
    const inner = child === null ? null : parseDocument(child.bytes, repository.label);
    manifest = inner?.type === 'image' ? inner.manifest : null;
  }
  // What is attached to an image, and what Docker could not run, stays in the layout only.
  if (manifest === null || manifest.config.mediaType !== CONFIG || manifest.subject != null) return;
  if (manifest.layers.some(({ mediaType }) => mediaType !== LAYER_GZIP && mediaType !== LAYER_TAR)) return;
  const path = ({ digest }: Descriptor) => `blobs/sha256/${digest.slice(7)}`;
  const entry = {
    Config: path(manifest.config),
    RepoTags: tag === null ? null : [tag],
    Layers: manifest.layers.map(path),
  };
  await files.write('manifest.json', Buffer.from(JSON.stringify([entry])));
}

function parseList(bytes: Uint8Array, where: string): z.infer<typeof schema> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw badImage('its manifest.json is not JSON', where);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0] as z.core.$ZodIssue;
  throw badImage(`its manifest.json: ${path.join('.')}: ${message}`, where);
}

async function addBlob(files: LayoutFiles, path: string, mediaType: string | null): Promise<Descriptor> {
  const bytes = await files.read(path, limits.blobBytes);
  if (bytes === null) throw badImage(`${path} of it is missing`, files.label);
  const digest = digestOf(bytes);
  await files.write(`blobs/sha256/${digest.slice(7)}`, bytes);
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return { mediaType: mediaType ?? (isGzip ? LAYER_GZIP : LAYER_TAR), digest, size: bytes.length };
}
