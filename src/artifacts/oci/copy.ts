/** Carries an image from one repository to another, every byte checked on the way, children before parents. */
import { parseDocument, type Descriptor, type Stored } from './documents.ts';
import { limits } from './limits.ts';
import { badImage } from './refusal.ts';
import { tagBeside } from './reference.ts';
import { readChild, requireImage, type Repository } from './repository.ts';

export interface CopyReport {
  readonly digest: string;
  /** Blobs and bytes that were not there yet. */
  readonly blobs: number;
  readonly bytes: number;
  /** SBOMs, provenance, signatures that came along. */
  readonly attached: number;
}

export interface CopyOrder {
  /** Tag or digest at the source; null: its only image. */
  readonly reference: string | null;
  readonly tag: string | null;
}

/** Throws MayflyError; the tag of the target moves last, so that it never names half an image. */
export async function copyImage(from: Repository, to: Repository, order: CopyOrder): Promise<CopyReport> {
  const count = { blobs: 0, bytes: 0, attached: 0 };

  const copyBlob = async (descriptor: Descriptor): Promise<void> => {
    if (await to.hasBlob(descriptor)) return;
    const bytes = await from.blob(descriptor);
    await to.putBlob(bytes, descriptor.digest);
    count.blobs++;
    count.bytes += bytes.length;
  };

  const copyParts = async (image: Stored, depth: number): Promise<void> => {
    const where = `${from.label}@${image.digest}`;
    if (depth > limits.depth) throw badImage('its indexes are nested too deep', where);
    const document = parseDocument(image.bytes, where);
    if (document.type === 'image') {
      for (const part of [document.manifest.config, ...document.manifest.layers]) await copyBlob(part);
      return;
    }
    for (const child of document.index.manifests) {
      const inner = await readChild(from, child);
      await copyParts(inner, depth + 1);
      await to.putManifest({ ...inner, mediaType: child.mediaType }, { tag: null, root: false });
    }
  };

  const copyAttached = async (subject: string): Promise<void> => {
    for (const referrer of await from.referrers(subject)) {
      const document = await readChild(from, referrer);
      await copyParts(document, 0);
      await to.putManifest(document, { tag: null, root: true });
      count.attached++;
      await copySignatures(referrer.digest);
    }
  };

  const copySignatures = async (subject: string): Promise<void> => {
    const tag = tagBeside(subject, '.sig');
    const signatures = await from.find(tag);
    if (signatures === null) return;
    await copyParts(signatures, 0);
    await to.putManifest(signatures, { tag, root: true });
    count.attached++;
  };

  const image = await requireImage(from, order.reference);
  await copyParts(image, 0);
  await to.putManifest(image, { tag: null, root: true });
  await copyAttached(image.digest);
  await copySignatures(image.digest);
  if (order.tag !== null) await to.putManifest(image, { tag: order.tag, root: true });
  return { digest: image.digest, ...count };
}
