/**
 * Brings a blob to a registry (OCI distribution specification v1.1, "Pushing a blob"): mounted from a neighbour where it can
 * be, in one piece when small, in chunks else. After a lost connection the registry is asked how far it came.
 */
import { badImage } from '../refusal.ts';
import type { RegistryClient } from './client.ts';
import { type Answer, ConnectionLost } from './http.ts';
import { isPassing, MAX_ATTEMPTS } from './retry.ts';

export interface Upload {
  readonly bytes: Uint8Array;
  readonly digest: string;
  /** A repository of the same registry that has the blob already. */
  readonly mountFrom: string | null;
  readonly chunkBytes: number;
}

interface Session {
  location: URL;
  /** Bytes that the registry has. */
  offset: number;
  chunkBytes: number;
}

const OCTETS = { 'content-type': 'application/octet-stream' };

/** Throws MayflyError. */
export async function uploadBlob(client: RegistryClient, upload: Upload): Promise<void> {
  const { bytes, digest } = upload;
  let session = await begin(client, upload);
  for (let attempt = 1; session !== null; attempt++) {
    try {
      await sendChunks(client, session, bytes);
      return await commit(client, session, bytes, digest);
    } catch (error) {
      if (!(error instanceof ConnectionLost || error instanceof Passing)) throw error;
      if (attempt === MAX_ATTEMPTS) {
        throw error instanceof Passing ? client.error(error.answer, 'push a blob') : client.lost(error);
      }
    }
    await client.pauseBefore(attempt);
    // The answer may have been lost, not the upload.
    if (await hasBlob(client, digest)) return;
    session = (await whereWeAre(client, session)) ?? (await begin(client, { ...upload, mountFrom: null }));
  }
}

export async function hasBlob(client: RegistryClient, digest: string): Promise<boolean> {
  const answer = await client.send({ method: 'HEAD', to: `blobs/${digest}`, access: 'pull' });
  if (answer.status === 200) return true;
  // Without a token for it, a registry may hide what is there; the push itself will say what is wrong.
  if ([401, 403, 404].includes(answer.status)) return false;
  throw client.error(answer, 'look for a blob');
}

/** A failure of the registry that may pass. */
class Passing extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`the registry answers ${answer.status}`);
    this.answer = answer;
  }
}

/** null: the registry mounted the blob, nothing is left to do. */
async function begin(
  client: RegistryClient,
  { mountFrom, digest, chunkBytes }: Upload,
): Promise<Session | null> {
  const query =
    mountFrom === null ? '' : `?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(mountFrom)}`;
  const answer = await client.send({
    method: 'POST',
    to: `blobs/uploads/${query}`,
    headers: { 'content-length': '0' },
    access: 'pull,push',
  });
  if (answer.status === 201 && mountFrom !== null) return null;
  if (answer.status !== 202) throw client.error(answer, 'push a blob');
  const least = Number(answer.header('oci-chunk-min-length') ?? 0);
  return {
    location: locationOf(client, answer),
    offset: 0,
    chunkBytes: Number.isSafeInteger(least) ? Math.max(chunkBytes, least) : chunkBytes,
  };
}

/** All but what fits into the closing request. */
async function sendChunks(client: RegistryClient, session: Session, bytes: Uint8Array): Promise<void> {
  while (bytes.length - session.offset > session.chunkBytes) {
    const end = session.offset + session.chunkBytes;
    const answer = await client.send({
      method: 'PATCH',
      to: session.location,
      headers: { ...OCTETS, 'content-range': `${session.offset}-${end - 1}` },
      body: bytes.subarray(session.offset, end),
      access: 'pull,push',
      once: true,
    });
    if (isPassing(answer.status) || answer.status === 416) throw new Passing(answer);
    if (answer.status !== 202) throw client.error(answer, 'push a blob');
    session.location = locationOf(client, answer);
    session.offset = receivedOf(answer, bytes.length) ?? end;
  }
}

async function commit(
  client: RegistryClient,
  session: Session,
  bytes: Uint8Array,
  digest: string,
): Promise<void> {
  const url = new URL(session.location);
  url.searchParams.set('digest', digest);
  const rest = bytes.subarray(session.offset);
  const range =
    session.offset > 0 && rest.length > 0 ? { 'content-range': `${session.offset}-${bytes.length - 1}` } : {};
  const answer = await client.send({
    method: 'PUT',
    to: url,
    headers: { ...OCTETS, ...range },
    body: rest,
    access: 'pull,push',
    once: true,
  });
  if (isPassing(answer.status)) throw new Passing(answer);
  if (answer.status !== 201) throw client.error(answer, 'push a blob');
  const said = answer.header('docker-content-digest');
  if (said !== undefined && said !== digest) {
    throw badImage(`the registry kept ${said} where ${digest} was sent`, client.label);
  }
}

/** null: the registry does not know this upload any more. */
async function whereWeAre(client: RegistryClient, session: Session): Promise<Session | null> {
  const answer = await client.send({ method: 'GET', to: session.location, access: 'pull,push' });
  if (answer.status !== 204 && answer.status !== 202) return null;
  const received = receivedOf(answer, Number.MAX_SAFE_INTEGER);
  if (received === null) return null;
  return { ...session, location: locationOf(client, answer, session.location), offset: received };
}

/** `Range: 0-<last>`, inclusive. Registries say `0-0` for nothing as well as for one byte: then all is sent again. */
function receivedOf(answer: Answer, most: number): number | null {
  const match = /^(?:bytes=)?0-(-?\d{1,15})$/.exec(answer.header('range') ?? '');
  if (match === null) return null;
  const last = Number(match[1]);
  const received = last <= 0 ? 0 : last + 1;
  return received <= most ? received : null;
}

function locationOf(client: RegistryClient, answer: Answer, otherwise?: URL): URL {
  const location = answer.header('location');
  if (location !== undefined && URL.canParse(location, answer.url)) return new URL(location, answer.url);
  if (otherwise !== undefined) return otherwise;
  throw client.error(answer, 'push a blob: it does not say where to');
}
