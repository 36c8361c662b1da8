/** A repository of a registry (OCI distribution specification v1.1). */
import { digestOf, isDigest } from '../../digest.ts';
import { type Descriptor, parseDocument, type Stored, typeOf, verified } from '../documents.ts';
import { limits } from '../limits.ts';
import { INDEX, INDEX_TYPES, MANIFEST_TYPES } from '../media-types.ts';
import { badImage } from '../refusal.ts';
import { type Reference, tagBeside } from '../reference.ts';
import type { Repository } from '../repository.ts';
import { RegistryClient, type RegistryOptions } from './client.ts';
import { ConnectionLost } from './http.ts';
import { MAX_ATTEMPTS } from './retry.ts';
import { hasBlob, uploadBlob } from './upload.ts';

export interface RegistryRepositoryOptions extends RegistryOptions {
  /** A repository of the same registry to mount blobs from. */
  readonly mountFrom?: string | null | undefined;
  readonly chunkBytes?: number | undefined;
}

const CHUNK_BYTES = 8 * 1024 * 1024;
const ACCEPT = [...INDEX_TYPES, ...MANIFEST_TYPES].join(', ');

export function openRegistry(reference: Reference, options: RegistryRepositoryOptions): Repository {
  const client = new RegistryClient(reference, options);
  const { label } = client;
  const mountFrom = options.mountFrom ?? null;
  if (mountFrom !== null) client.alsoPull(mountFrom);

  const find = async (wanted: string | null): Promise<Stored | null> => {
    const name = wanted ?? reference.digest ?? reference.tag ?? 'latest';
    const answer = await client.send({
      method: 'GET',
      to: `manifests/${name}`,
      headers: { accept: ACCEPT },
      most: limits.manifestBytes,
      access: 'pull',
    });
    if (answer.status === 404) return null;
    if (answer.status !== 200) throw client.error(answer, 'pull the image');
    const digest = digestOf(answer.body);
    const promised = isDigest(name) ? name : answer.header('docker-content-digest');
    if (promised !== undefined && promised !== digest) {
      throw badImage(`the registry sends something else than ${promised}`, label);
    }
    const document = parseDocument(answer.body, `${label}@${digest}`);
    return { digest, bytes: answer.body, mediaType: typeOf(document) };
  };

  /** From where the last attempt broke off, if the registry can do that. */
  const download = async (descriptor: Descriptor): Promise<Uint8Array> => {
    let received: Uint8Array = new Uint8Array(0);
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await client.send({
          method: 'GET',
          to: `blobs/${descriptor.digest}`,
          headers: received.length > 0 ? { range: `bytes=${received.length}-` } : {},
          most: Math.min(limits.blobBytes, descriptor.size),
          access: 'pull',
          once: true,
        });
        if (answer.status === 206) return Buffer.concat([received, answer.body]);
        if (answer.status === 200) return answer.body;
        if (answer.status === 404) throw badImage(`${descriptor.digest} of it is missing`, label);
        if (answer.status < 500 && answer.status !== 429) throw client.error(answer, 'pull a blob');
        if (attempt === MAX_ATTEMPTS) throw client.error(answer, 'pull a blob');
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        if (attempt === MAX_ATTEMPTS) throw client.lost(error);
        if (error.status === 206) received = Buffer.concat([received, error.received]);
        else if (error.status === 200) received = error.received;
      }
      await client.pauseBefore(attempt);
    }
  };

  const putManifest: Repository['putManifest'] = async (manifest, { tag }) => {
    const answer = await client.send({
      method: 'PUT',
      to: `manifests/${tag ?? manifest.digest}`,
      headers: { 'content-type': manifest.mediaType },
      body: manifest.bytes,
      access: 'pull,push',
    });
    if (answer.status !== 201) throw client.error(answer, 'push the image');
    const said = answer.header('docker-content-digest');
    if (said !== undefined && said !== manifest.digest) {
      throw badImage(`the registry kept ${said} where ${manifest.digest} was sent`, label);
    }
    const document = parseDocument(manifest.bytes, label);
    const { subject } = document.type === 'index' ? document.index : document.manifest;
    // A registry that knows subjects says so; for the others the list is kept under a tag.
    if (subject == null || answer.header('oci-subject') !== undefined) return;
    await addToFallback(subject.digest, manifest);
  };

  const addToFallback = async (subject: string, manifest: Stored): Promise<void> => {
    const known = await fallbackReferrers(subject);
    if (known.some(({ digest }) => digest === manifest.digest)) return;
    const document = parseDocument(manifest.bytes, label);
    const own = document.type === 'index' ? document.index : document.manifest;
    const artifactType =
      own.artifactType ?? (document.type === 'image' ? document.manifest.config.mediaType : undefined);
    const entry = {
      mediaType: manifest.mediaType,
      digest: manifest.digest,
      size: manifest.bytes.length,
      ...(artifactType !== undefined && { artifactType }),
      ...(own.annotations != null && { annotations: own.annotations }),
    };
    const bytes = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [...known, entry] }),
    );
    const index = { bytes, digest: digestOf(bytes), mediaType: INDEX };
    await putManifest(index, { tag: tagBeside(subject, ''), root: true });
  };

  const fallbackReferrers = async (subject: string): Promise<readonly Descriptor[]> => {
    const found = await find(tagBeside(subject, ''));
    if (found === null) return [];
    const document = parseDocument(found.bytes, label);
    return document.type === 'index' ? document.index.manifests : [];
  };

  return {
    label,
    find,

    async blob(descriptor) {
      if (descriptor.size > limits.blobBytes)
        throw badImage(`a part of it has ${descriptor.size} bytes`, label);
      return verified(await download(descriptor), descriptor, label);
    },

    hasBlob: ({ digest }) => hasBlob(client, digest),

    putBlob: (bytes, digest) =>
      uploadBlob(client, { bytes, digest, mountFrom, chunkBytes: options.chunkBytes ?? CHUNK_BYTES }),

    putManifest,

    async referrers(digest) {
      const answer = await client.send({
        method: 'GET',
        to: `referrers/${digest}`,
        headers: { accept: INDEX },
        most: limits.manifestBytes,
        access: 'pull',
      });
      if (answer.status !== 200 || answer.header('content-type')?.startsWith(INDEX) !== true) {
        return fallbackReferrers(digest);
      }
      const document = parseDocument(answer.body, `${label}, referrers`);
      return document.type === 'index' ? document.index.manifests : [];
    },

    finish: async () => {},
  };
}
