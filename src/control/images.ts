/**
 * Functions from images: fetched from their registry, checked against their digest and, where keys are configured, against
 * their signature. What was fetched is kept in the state folder, so that a restart needs no registry.
 */
import { readFileSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { hexOf } from '../artifacts/digest.ts';
import { folderFiles } from '../artifacts/oci/files.ts';
import { readFunction } from '../artifacts/oci/function-artifact.ts';
import { openLayout } from '../artifacts/oci/layout.ts';
import { readThrough } from '../artifacts/oci/read-through.ts';
import { parseReference } from '../artifacts/oci/reference.ts';
import { openRegistry } from '../artifacts/oci/registry/registry.ts';
import { requireImage, type Repository } from '../artifacts/oci/repository.ts';
import { readPublicKey } from '../artifacts/oci/signing/keys.ts';
import { judge, readSignatures } from '../artifacts/oci/signing/signatures.ts';
import { isImageSource, type ImageSource, type ImageTrust } from '../model/code-source.ts';
import { MayflyError } from '../model/errors.ts';

export interface Images {
  /** The module of the function. Throws MayflyError. */
  pull(source: ImageSource, trust: ImageTrust): Promise<Uint8Array>;
  /** Lets go of all but these; sources that are no images are passed over. */
  keepOnly(sources: Iterable<string>): Promise<void>;
}

export function createImages(
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
  open: typeof openRegistry = openRegistry,
): Images {
  return {
    async pull({ reference: text }, trust) {
      const reference = parseReference(text);
      const { digest, registry } = reference;
      if (digest === null) throw notPinned(text);
      const keys = trust.keyFiles.map((file) => readPublicKey(readText(file), file));
      const near = await openLayout(folderFiles(join(folder, hexOf(digest))));
      const far = open(reference, {
        env,
        plainHttp: trust.plainHttp.includes(registry),
        ca: trust.caFile === null ? null : readText(trust.caFile),
      });
      const image = readThrough(near, far);
      if (keys.length > 0) await requireSignature(near, image, digest, keys);
      return readFunction(image, await requireImage(image, digest));
    },

    async keepOnly(sources) {
      const keep = new Set<string>();
      for (const source of sources) {
        if (isImageSource(source)) keep.add(source.split('@sha256:').at(-1) as string);
      }
      await mkdir(folder, { recursive: true });
      for (const name of await readdir(folder)) {
        if (!keep.has(name)) await rm(join(folder, name), { recursive: true });
      }
    },
  };
}

/** A signature that was fetched before is as good as ever; only without a good one is the registry asked. */
async function requireSignature(
  near: Repository,
  image: Repository,
  digest: string,
  keys: readonly KeyObject[],
): Promise<void> {
  const kept = await readSignatures(near, digest).catch(() => []);
  if (judge(kept, digest, keys).ok) return;
  const verdict = judge(await readSignatures(image, digest), digest, keys);
  if (verdict.ok) return;
  throw new MayflyError(`the image is not trusted: ${verdict.reason}`, {
    where: `${image.label}@${digest}`,
    fix: 'Sign it with `mayfly image sign`, or see security.images.keys.',
    code: 'image-not-trusted',
  });
}

function notPinned(text: string): MayflyError {
  return new MayflyError('the image is not named by its digest', {
    where: text,
    fix: 'Add @sha256:…, which `mayfly image inspect` shows: a tag may name another image tomorrow.',
    exitCode: 2,
    code: 'image-not-pinned',
  });
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new MayflyError(`cannot read a file that images are checked with: ${(cause as Error).message}`, {
      where: file,
      code: 'unreadable',
      cause,
    });
  }
}
