/** Where images are kept: a registry's repository, a layout folder, an archive. One interface, one conformance test. */
import { type Descriptor, type Document, parseDocument, type Stored, verified } from './documents.ts';
import { noSuchImage } from './refusal.ts';

export interface Repository {
  /** For people: `registry.example.com/shop/orders`, a folder, a file. */
  readonly label: string;
  /** A manifest or index by tag or digest; null when there is none. With null as tag: the only image, where there is just one. */
  find(reference: string | null): Promise<Stored | null>;
  /** A blob, checked against its descriptor. Throws MayflyError. */
  blob(descriptor: Descriptor): Promise<Uint8Array>;
  hasBlob(descriptor: Descriptor): Promise<boolean>;
  putBlob(bytes: Uint8Array, digest: string): Promise<void>;
  /** Everything that it refers to must be there already. `root`: an image by itself, not a part of one. */
  putManifest(
    manifest: Stored,
    place: { readonly tag: string | null; readonly root: boolean },
  ): Promise<void>;
  /** Manifests whose subject is this digest: SBOMs, provenance, what others attach. */
  referrers(digest: string): Promise<readonly Descriptor[]>;
  /** After the last put: nothing is promised to be there before. */
  finish(): Promise<void>;
}

/** Throws MayflyError `no-such-image`. */
export async function requireImage(repository: Repository, reference: string | null): Promise<Stored> {
  const found = await repository.find(reference);
  if (found !== null) return found;
  const separator = reference?.includes(':') === true ? '@' : ':';
  throw noSuchImage(`${repository.label}${reference === null ? '' : separator + reference}`);
}

export async function readChild(
  repository: Repository,
  child: Descriptor,
): Promise<{ document: Document } & Stored> {
  const found = await requireImage(repository, child.digest);
  verified(found.bytes, child, repository.label);
  return { ...found, document: parseDocument(found.bytes, `${repository.label}@${child.digest}`) };
}
