/** What people write for "an image": a name in a registry, a folder, an archive. */
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { MayflyError } from '../../model/errors.ts';
import { isDigest } from '../digest.ts';
import { writeDockerManifest } from './docker-archive.ts';
import { archiveFiles, folderFiles } from './files.ts';
import { openLayout } from './layout.ts';
import { formatReference, isTag, parseReference, type Reference } from './reference.ts';
import { openRegistry, type RegistryRepositoryOptions } from './registry/registry.ts';
import type { Repository } from './repository.ts';

export type Location =
  | { readonly type: 'registry'; readonly reference: Reference }
  /** `reference`: a tag or digest in it; null: the only image. */
  | { readonly type: 'folder' | 'archive'; readonly path: string; readonly reference: string | null };

/** `oci-layout:` and the names of skopeo's transports are understood too. */
const TRANSPORT = /^(oci-layout|oci|oci-archive|docker-archive):(?!\/\/)/;

/** A path begins with `.` or `/`, or has a transport in front; anything else is a name in a registry. Throws MayflyError. */
export function parseLocation(text: string): Location {
  const transport = TRANSPORT.exec(text)?.[1];
  if (transport === undefined && !/^[./]/.test(text))
    return { type: 'registry', reference: parseReference(text) };
  const { path, reference } = splitPath(transport === undefined ? text : text.slice(transport.length + 1));
  const isArchive = transport === undefined ? path.endsWith('.tar') : transport.endsWith('-archive');
  return { type: isArchive ? 'archive' : 'folder', path: resolve(path), reference };
}

function formatLocation(location: Location): string {
  return location.type === 'registry' ? formatReference(location.reference) : location.path;
}

/** Tag or digest of the location itself. */
export function wanted(location: Location): string | null {
  if (location.type !== 'registry') return location.reference;
  return location.reference.digest ?? location.reference.tag;
}

/** The tag that an image gets there; null where none is named. Throws MayflyError for a digest: that follows from the image. */
export function targetTag(location: Location): string | null {
  const tag = wanted(location);
  const digest = location.type === 'registry' ? location.reference.digest : tag;
  if (digest === null || !isDigest(digest)) return tag;
  throw new MayflyError('An image cannot be written to a digest, which follows from what is in it', {
    where: formatLocation(location),
    fix: 'Give it a tag, such as :1.0.',
    exitCode: 2,
    code: 'usage',
  });
}

export async function openLocation(
  location: Location,
  options: RegistryRepositoryOptions,
): Promise<Repository> {
  if (location.type === 'registry') return openRegistry(location.reference, options);
  if (location.type === 'folder') return openLayout(folderFiles(location.path));
  const files = await archiveFiles(location.path);
  const repository = await openLayout(files);
  return {
    ...repository,
    async putManifest(manifest, place) {
      await repository.putManifest(manifest, place);
      if (place.root)
        await writeDockerManifest(repository, files, manifest, dockerName(location.path, place.tag));
    },
  };
}

/** What `docker load` calls the image; null where the name would not be one. */
function dockerName(path: string, tag: string | null): string | null {
  const name = basename(path, '.tar').toLowerCase();
  return tag !== null && /^[a-z0-9]+([._-][a-z0-9]+)*$/.test(name) ? `${name}:${tag}` : null;
}

export async function exists(location: Location): Promise<boolean> {
  if (location.type === 'registry') return true;
  return (await stat(location.path).catch(() => null)) !== null;
}

function splitPath(text: string): { path: string; reference: string | null } {
  const at = text.lastIndexOf('@');
  if (at > 0 && isDigest(text.slice(at + 1)))
    return { path: text.slice(0, at), reference: text.slice(at + 1) };
  const colon = text.lastIndexOf(':');
  const tag = text.slice(colon + 1);
  if (colon > 0 && !tag.includes('/') && isTag(tag)) return { path: text.slice(0, colon), reference: tag };
  return { path: text, reference: null };
}
