/**
 * An OCI image layout (image specification v1.1, image-layout.md) as a repository: blobs by digest, and `index.json` that
 * names the images. What is attached to an image stands in `index.json` too, without a name.
 */
import { digestOf, hexOf, isDigest } from '../digest.ts';
import { readDockerArchive } from './docker-archive.ts';
import {
  type Descriptor,
  type ImageIndex,
  parseDocument,
  stored,
  type Stored,
  verified,
} from './documents.ts';
import type { LayoutFiles } from './files.ts';
import { limits } from './limits.ts';
import { EMPTY, INDEX } from './media-types.ts';
import { badImage } from './refusal.ts';
import type { Repository } from './repository.ts';

const NAME = 'org.opencontainers.image.ref.name';
const MARKER = Buffer.from('{"imageLayoutVersion":"1.0.0"}');
/** Tags under which tools keep what belongs to another image. */
const BESIDE = /^sha256-[0-9a-f]{64}(\.[a-z]+)?$/;

export async function openLayout(files: LayoutFiles): Promise<Repository> {
  const { label } = files;
  const readBlob = (digest: string, most: number) => files.read(blobPath(digest), most);

  let index = (await readIndex(files)) ?? null;
  if (index === null) index = (await readDockerArchive(files)) ?? emptyIndex();
  let entries = index.manifests;

  const findDigest = async (digest: string): Promise<Stored | null> => {
    const bytes = await readBlob(digest, limits.manifestBytes);
    if (bytes === null) return null;
    if (digestOf(bytes) !== digest) throw badImage(`a part of it does not match its digest ${digest}`, label);
    return stored(bytes, `${label}@${digest}`);
  };

  const subjectOf = async ({ digest }: Descriptor): Promise<string | null> => {
    const found = await findDigest(digest);
    if (found === null) throw badImage(`${digest} of its index is missing`, label);
    const document = parseDocument(found.bytes, label);
    const { subject } = document.type === 'index' ? document.index : document.manifest;
    return subject?.digest ?? null;
  };

  /** The image, where there is only one. */
  const only = async (): Promise<string | null> => {
    const images = new Set<string>();
    for (const entry of entries) {
      if (BESIDE.test(entry.annotations?.[NAME] ?? '') || (await subjectOf(entry)) !== null) continue;
      images.add(entry.digest);
    }
    if (images.size > 1) {
      throw badImage(
        `there are ${images.size} images in it`,
        label,
        'Say which: add :TAG or @DIGEST to its name.',
      );
    }
    return [...images][0] ?? null;
  };

  return {
    label,

    async find(reference) {
      const digest =
        reference === null
          ? await only()
          : isDigest(reference)
            ? reference
            : (entries.find(({ annotations }) => annotations?.[NAME] === reference)?.digest ?? null);
      return digest === null ? null : findDigest(digest);
    },

    async blob(descriptor) {
      const bytes = await readBlob(descriptor.digest, limits.blobBytes);
      if (bytes === null) throw badImage(`${descriptor.digest} of it is missing`, label);
      return verified(bytes, descriptor, label);
    },

    async hasBlob({ digest }) {
      const bytes = await readBlob(digest, limits.blobBytes);
      return bytes !== null && digestOf(bytes) === digest;
    },

    putBlob: (bytes, digest) => files.write(blobPath(digest), bytes),

    async putManifest(manifest, { tag, root }) {
      await files.write(blobPath(manifest.digest), manifest.bytes);
      if (!root && tag === null) return;
      entries = withEntry(entries, manifest, tag);
      await files.write('oci-layout', MARKER);
      const json = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: entries });
      await files.write('index.json', Buffer.from(json));
    },

    async referrers(digest) {
      const found: Descriptor[] = [];
      for (const entry of entries) {
        if ((await subjectOf(entry)) === digest) found.push(entry);
      }
      return found;
    },

    finish: () => files.finish(),
  };
}

async function readIndex(files: LayoutFiles): Promise<ImageIndex | null> {
  const bytes = await files.read('index.json', limits.manifestBytes);
  if (bytes === null) return null;
  const document = parseDocument(bytes, `${files.label}, index.json`);
  if (document.type !== 'index') throw badImage('its index.json is not an index', files.label);
  return document.index;
}

function emptyIndex(): ImageIndex {
  return { schemaVersion: 2, manifests: [] };
}

/** A tag moves to its new image; an image without a tag stands there once. */
function withEntry(entries: readonly Descriptor[], manifest: Stored, tag: string | null): Descriptor[] {
  const named = (entry: Descriptor) => entry.annotations?.[NAME] ?? null;
  const others = entries.filter((entry) =>
    tag === null
      ? entry.digest !== manifest.digest
      : named(entry) !== tag && !(entry.digest === manifest.digest && named(entry) === null),
  );
  if (tag === null && others.length < entries.length) return [...entries];
  const document = parseDocument(manifest.bytes, manifest.digest);
  const artifactType =
    document.type === 'image' && document.manifest.config.mediaType === EMPTY
      ? document.manifest.artifactType
      : undefined;
  const entry = {
    mediaType: manifest.mediaType,
    digest: manifest.digest,
    size: manifest.bytes.length,
    ...(artifactType !== undefined && { artifactType }),
    ...(tag !== null && { annotations: { [NAME]: tag } }),
  };
  return [...others, entry];
}

function blobPath(digest: string): string {
  return `blobs/sha256/${hexOf(digest)}`;
}
