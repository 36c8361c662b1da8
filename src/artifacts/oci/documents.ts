/** The JSON documents of an image, read from bytes that anybody may have written. */
import { z } from 'zod';
import { digestOf, isDigest } from '../digest.ts';
import { limits } from './limits.ts';
import { INDEX, INDEX_TYPES, MANIFEST, MANIFEST_TYPES } from './media-types.ts';
import { badImage } from './refusal.ts';

const annotations = z.record(z.string(), z.string());
const digest = z.string().refine(isDigest, 'is not sha256:<64 hex digits>');

const platform = z.looseObject({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().optional(),
});

const descriptor = z.looseObject({
  mediaType: z.string().min(1).max(255),
  digest,
  size: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  annotations: annotations.nullish(),
  platform: platform.nullish(),
  artifactType: z.string().optional(),
});

const image = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.enum(MANIFEST_TYPES as [string, ...string[]]).optional(),
  artifactType: z.string().optional(),
  config: descriptor,
  layers: z.array(descriptor).max(limits.children),
  subject: descriptor.nullish(),
  annotations: annotations.nullish(),
});

const index = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.enum(INDEX_TYPES as [string, ...string[]]).optional(),
  artifactType: z.string().optional(),
  manifests: z.array(descriptor).max(limits.children),
  subject: descriptor.nullish(),
  annotations: annotations.nullish(),
});

const config = z.looseObject({
  architecture: z.string(),
  os: z.string(),
  created: z.string().nullish(),
  config: z
    .looseObject({
      Entrypoint: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()).nullish(),
      User: z.string().nullish(),
      Labels: annotations.nullish(),
    })
    .nullish(),
  rootfs: z.looseObject({ type: z.literal('layers'), diff_ids: z.array(digest).max(limits.children) }),
});

export type Descriptor = z.infer<typeof descriptor>;
export type Platform = z.infer<typeof platform>;
export type ImageManifest = z.infer<typeof image>;
export type ImageIndex = z.infer<typeof index>;
export type ImageConfig = z.infer<typeof config>;

/** A manifest or an index as it is kept: its bytes are what its digest is of. */
export interface Stored {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

export type Document =
  | { readonly type: 'image'; readonly manifest: ImageManifest }
  | { readonly type: 'index'; readonly index: ImageIndex };

/** Tells by what a document says of itself, then by its shape, which of the two it is. Throws MayflyError `bad-image`. */
export function parseDocument(bytes: Uint8Array, where: string): Document {
  if (bytes.length > limits.manifestBytes) {
    throw badImage(`its manifest has more than ${limits.manifestBytes} bytes`, where);
  }
  const value = parseJson(bytes, 'manifest', where);
  const { mediaType, manifests, layers } = value;
  const known = typeof mediaType === 'string' && mediaType !== '';
  // CVE-2021-41190: one document must not be an index to one reader and a manifest to another.
  if (manifests !== undefined && layers !== undefined) {
    throw badImage('its manifest claims to be an index as well', where);
  }
  if (known && INDEX_TYPES.includes(mediaType)) return { type: 'index', index: check(index, value, where) };
  if (known && MANIFEST_TYPES.includes(mediaType))
    return { type: 'image', manifest: check(image, value, where) };
  if (known) {
    const type = JSON.stringify(mediaType.slice(0, 100));
    throw badImage(
      `${type} is neither an image manifest nor an index`,
      where,
      'Build the image again as an OCI image.',
    );
  }
  if (manifests !== undefined) return { type: 'index', index: check(index, value, where) };
  return { type: 'image', manifest: check(image, value, where) };
}

/** Throws MayflyError `bad-image`. */
export function parseConfig(bytes: Uint8Array, where: string): ImageConfig {
  return check(config, parseJson(bytes, 'configuration', where), where);
}

/** What to call a document when nobody did. */
export function typeOf(document: Document): string {
  return document.type === 'index'
    ? (document.index.mediaType ?? INDEX)
    : (document.manifest.mediaType ?? MANIFEST);
}

export function stored(bytes: Uint8Array, where: string): Stored {
  return { bytes, digest: digestOf(bytes), mediaType: typeOf(parseDocument(bytes, where)) };
}

/** The bytes, if they are what was promised. Throws MayflyError `bad-image`. */
export function verified(
  bytes: Uint8Array,
  promised: Pick<Descriptor, 'digest' | 'size'>,
  where: string,
): Uint8Array {
  if (bytes.length !== promised.size) {
    throw badImage(`a part of it has ${bytes.length} bytes instead of ${promised.size}`, where, RETRY);
  }
  if (digestOf(bytes) !== promised.digest) {
    throw badImage(`a part of it does not match its digest ${promised.digest}`, where, RETRY);
  }
  return bytes;
}

const RETRY = 'It was damaged on its way or in its store; push it again.';

function parseJson(bytes: Uint8Array, what: string, where: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw badImage(`its ${what} is not JSON`, where);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badImage(`its ${what} is not a JSON object`, where);
  }
  return value as Record<string, unknown>;
}

function check<Schema extends z.ZodType>(schema: Schema, value: unknown, where: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0] as z.core.$ZodIssue;
  throw badImage(`${path.join('.') || 'its manifest'}: ${message}`, where);
}
