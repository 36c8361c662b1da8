/**
 * Signatures as cosign keeps them (cosign's SIGNATURE_SPEC): an image tagged `sha256-<hex>.sig` beside what was signed, each
 * layer a payload with its signature as annotation.
 */
import { sign, verify, type KeyObject } from 'node:crypto';
import { digestOf } from '../../digest.ts';
import { ImageContent } from '../content.ts';
import { type Descriptor, type ImageManifest, parseDocument } from '../documents.ts';
import { CONFIG, MANIFEST } from '../media-types.ts';
import { badImage } from '../refusal.ts';
import { tagBeside } from '../reference.ts';
import type { Repository } from '../repository.ts';
import { type Claim, formatPayload, parsePayload } from './payload.ts';

const PAYLOAD = 'application/vnd.dev.cosign.simplesigning.v1+json';
const SIGNATURE = 'dev.cosignproject.cosign/signature';
/** A payload is a few hundred bytes. */
const LONGEST_PAYLOAD = 1024 * 1024;

export interface Signature {
  /** null: the payload is not one. */
  readonly claim: Claim | null;
  readonly payload: Uint8Array;
  /** DER, as ECDSA signatures of X9.62 are written. */
  readonly signature: Buffer;
}

/** All that is there, unchecked. Throws MayflyError `bad-image`. */
export async function readSignatures(repository: Repository, digest: string): Promise<readonly Signature[]> {
  const found: Signature[] = [];
  for (const layer of (await signatureManifest(repository, digest))?.layers ?? []) {
    const signature = layer.annotations?.[SIGNATURE];
    if (layer.mediaType !== PAYLOAD || signature === undefined || layer.size > LONGEST_PAYLOAD) continue;
    const payload = await repository.blob(layer);
    found.push({ claim: parsePayload(payload), payload, signature: Buffer.from(signature, 'base64') });
  }
  return found;
}

export type Verdict =
  | { readonly ok: true; readonly claim: Claim; readonly key: number }
  | { readonly ok: false; readonly reason: string };

/** Is one of the signatures about this digest by one of these keys? Pure. */
export function judge(signatures: readonly Signature[], digest: string, keys: readonly KeyObject[]): Verdict {
  if (signatures.length === 0) return { ok: false, reason: 'it is not signed' };
  let reason = 'none of its signatures is by a key that is trusted';
  for (const { claim, payload, signature } of signatures) {
    const key = keys.findIndex((candidate) => verify('sha256', payload, candidate, signature));
    if (key < 0) continue;
    if (claim?.digest === digest) return { ok: true, claim, key };
    reason =
      claim === null
        ? 'what was signed is not an image'
        : `its signature is for another image, ${claim.digest}`;
  }
  return { ok: false, reason };
}

export interface SignOrder {
  readonly digest: string;
  readonly identity: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** Adds a signature; false when the image already has one by this key. */
export async function signImage(repository: Repository, order: SignOrder): Promise<boolean> {
  const { digest, identity, privateKey, publicKey } = order;
  const present = await readSignatures(repository, digest);
  if (judge(present, digest, [publicKey]).ok) return false;
  const payload = formatPayload({ identity, digest });
  const content = new ImageContent();
  const layer: Descriptor = {
    ...content.blob(payload, PAYLOAD),
    annotations: { [SIGNATURE]: sign('sha256', payload, privateKey).toString('base64') },
  };
  const layers = [...((await signatureManifest(repository, digest))?.layers ?? []), layer];
  const manifest = content.manifest(
    { schemaVersion: 2, mediaType: MANIFEST, config: content.json(configOf(layers), CONFIG), layers } as {
      mediaType: string;
    },
    true,
  );
  await content.writeTo(repository, manifest.digest, tagBeside(digest, '.sig'));
  return true;
}

/** cosign's readers expect the signatures to look like layers of an image. */
function configOf(layers: readonly Descriptor[]) {
  return {
    architecture: '',
    created: '1970-01-01T00:00:00Z',
    os: '',
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
    config: {},
  };
}

async function signatureManifest(repository: Repository, digest: string): Promise<ImageManifest | null> {
  const tag = tagBeside(digest, '.sig');
  const found = await repository.find(tag);
  if (found === null) return null;
  const where = `${repository.label}:${tag}`;
  if (digestOf(found.bytes) !== found.digest) throw badImage('its signatures are damaged', where);
  const document = parseDocument(found.bytes, where);
  if (document.type !== 'image') throw badImage('its signatures are not where they should be', where);
  return document.manifest;
}
