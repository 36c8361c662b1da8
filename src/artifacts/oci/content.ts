import { digestOf } from '../digest.ts';
import type { Descriptor, Stored } from './documents.ts';
import { EMPTY, MANIFEST } from './media-types.ts';
import type { Repository } from './repository.ts';

/** An image being put together: its blobs and manifests, children before parents. */
export class ImageContent {
  readonly blobs = new Map<string, Uint8Array>();
  readonly manifests: { readonly manifest: Stored; readonly root: boolean }[] = [];

  blob(bytes: Uint8Array, mediaType: string): Descriptor {
    const digest = digestOf(bytes);
    this.blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  json(value: unknown, mediaType: string): Descriptor {
    return this.blob(Buffer.from(JSON.stringify(value)), mediaType);
  }

  manifest(value: { readonly mediaType: string }, root: boolean): Descriptor {
    const bytes = Buffer.from(JSON.stringify(value));
    const manifest = { bytes, digest: digestOf(bytes), mediaType: value.mediaType };
    this.manifests.push({ manifest, root });
    return { mediaType: manifest.mediaType, digest: manifest.digest, size: bytes.length };
  }

  /** A document about an image, as the image specification wants it attached: its manifest names the image as subject. */
  attach(subject: Descriptor, document: unknown, artifactType: string): Descriptor {
    const { mediaType, digest, size } = subject;
    return this.manifest(
      {
        schemaVersion: 2,
        mediaType: MANIFEST,
        artifactType,
        config: this.json({}, EMPTY),
        layers: [this.json(document, artifactType)],
        subject: { mediaType, digest, size },
      } as { mediaType: string },
      true,
    );
  }

  /** Puts all of it; `tag` goes to the manifest with that digest. */
  async writeTo(repository: Repository, root: string, tag: string | null): Promise<void> {
    for (const [digest, bytes] of this.blobs) {
      if (await repository.hasBlob({ digest, size: bytes.length, mediaType: '' })) continue;
      await repository.putBlob(bytes, digest);
    }
    for (const { manifest, root: listed } of this.manifests) {
      await repository.putManifest(manifest, { root: listed, tag: manifest.digest === root ? tag : null });
    }
    await repository.finish();
  }
}
