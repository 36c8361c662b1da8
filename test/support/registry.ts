/** A registry in memory that can be told to misbehave: the distribution specification's server side, just enough of it. */
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface FakeRegistryOptions {
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Knows subjects: `/referrers/` and the OCI-Subject header. */
  readonly referrers?: boolean;
  /** `user:password` that Basic wants, or that the token server wants. */
  readonly basic?: string;
  readonly bearer?: { readonly user: string | null; readonly expiresIn?: number };
  /** Looks at every request first; true: it has dealt with it. */
  readonly fault?: (
    request: IncomingMessage,
    response: ServerResponse,
    registry: FakeRegistry,
  ) => boolean | Promise<boolean>;
}

export interface FakeRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly blobs: Map<string, Buffer>;
  /** `repository:reference` → manifest. */
  readonly manifests: Map<string, { readonly bytes: Buffer; readonly type: string }>;
  /** `METHOD /path` of every request, in order. */
  readonly seen: string[];
  readonly authorizations: (string | undefined)[];
  /** Tokens handed out and still taken. */
  readonly tokens: Set<string>;
  readonly uploads: Map<string, Buffer>;
}

const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export async function startFakeRegistry(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
  const handler = (request: IncomingMessage, response: ServerResponse) => void answer(request, response);
  const server = options.tls === undefined ? createServer(handler) : createTlsServer(options.tls, handler);
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', () => listening.resolve());
  await listening.promise;
  const scheme = options.tls === undefined ? 'http' : 'https';
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  const registry: FakeRegistry = {
    host,
    blobs: new Map(),
    manifests: new Map(),
    seen: [],
    authorizations: [],
    tokens: new Set(),
    uploads: new Map(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    registry.seen.push(`${request.method} ${request.url}`);
    registry.authorizations.push(request.headers.authorization);
    try {
      if ((await options.fault?.(request, response, registry)) === true) return;
      if (!authorized(request, response)) return;
      await route(request, response);
    } catch {
      response.destroy();
    }
  }

  function authorized(request: IncomingMessage, response: ServerResponse): boolean {
    const url = new URL(request.url ?? '/', `${scheme}://${host}`);
    const shown = request.headers.authorization;
    if (options.bearer !== undefined && url.pathname === '/token') {
      const { user, expiresIn = 300 } = options.bearer;
      const wanted = user === null ? undefined : `Basic ${Buffer.from(user).toString('base64')}`;
      if (shown !== wanted) return refuse(response, 401, 'UNAUTHORIZED');
      const token = randomUUID();
      registry.tokens.add(token);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ token, expires_in: expiresIn }));
      return false;
    }
    if (options.bearer !== undefined && !registry.tokens.has(shown?.replace('Bearer ', '') ?? '')) {
      const scope = 'repository:x:pull';
      const realm = `${scheme}://${host}/token`;
      response.setHeader('www-authenticate', `Bearer realm="${realm}",service="fake",scope="${scope}"`);
      return refuse(response, 401, 'UNAUTHORIZED');
    }
    if (options.basic !== undefined && shown !== `Basic ${Buffer.from(options.basic).toString('base64')}`) {
      response.setHeader('www-authenticate', 'Basic realm="fake"');
      return refuse(response, 401, 'UNAUTHORIZED');
    }
    return true;
  }

  async function route(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const url = new URL(request.url ?? '/', `${scheme}://${host}`);
    if (url.pathname === '/v2/') return response.end('{}');
    const match = /^\/v2\/(.+?)\/(manifests|blobs\/uploads|blobs|referrers)\/(.*)$/.exec(url.pathname);
    if (match === null) return refuse(response, 404, 'UNSUPPORTED');
    const [, name, kind, rest] = match as unknown as [string, string, string, string];
    if (kind === 'manifests') return manifests(request, response, name, rest);
    if (kind === 'blobs/uploads') return upload(request, response, name, rest, url);
    if (kind === 'blobs') return blob(request, response, rest);
    return referrers(response, name, rest);
  }

  async function manifests(
    request: IncomingMessage,
    response: ServerResponse,
    name: string,
    reference: string,
  ) {
    if (request.method === 'PUT') {
      const bytes = await buffer(request);
      const digest = digestOf(bytes);
      const value = JSON.parse(bytes.toString('utf8')) as {
        subject?: { digest: string };
        manifests?: { digest: string }[];
        config?: { digest: string };
        layers?: { digest: string }[];
      };
      const lacks =
        (value.manifests ?? []).some((child) => !registry.manifests.has(`${name}:${child.digest}`)) ||
        [value.config, ...(value.layers ?? [])].some(
          (part) => part !== undefined && !registry.blobs.has(part.digest),
        );
      if (lacks) return refuse(response, 400, 'MANIFEST_BLOB_UNKNOWN');
      const kept = { bytes, type: request.headers['content-type'] ?? '' };
      registry.manifests.set(`${name}:${reference}`, kept).set(`${name}:${digest}`, kept);
      if (options.referrers === true && value.subject !== undefined) {
        response.setHeader('oci-subject', value.subject.digest);
      }
      return response.writeHead(201, { 'docker-content-digest': digest }).end();
    }
    const found = registry.manifests.get(`${name}:${reference}`);
    if (found === undefined) return refuse(response, 404, 'MANIFEST_UNKNOWN');
    const headers = { 'content-type': found.type, 'docker-content-digest': digestOf(found.bytes) };
    return response.writeHead(200, headers).end(found.bytes);
  }

  function blob(request: IncomingMessage, response: ServerResponse, digest: string) {
    const found = registry.blobs.get(digest);
    if (found === undefined) return refuse(response, 404, 'BLOB_UNKNOWN');
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (from > 0) {
      response.writeHead(206, { 'content-range': `bytes ${from}-${found.length - 1}/${found.length}` });
      return response.end(found.subarray(from));
    }
    response.writeHead(200, { 'content-length': found.length });
    return response.end(request.method === 'HEAD' ? undefined : found);
  }

  async function upload(
    request: IncomingMessage,
    response: ServerResponse,
    name: string,
    id: string,
    url: URL,
  ) {
    const progress = (status: number, session: string) => {
      const length = registry.uploads.get(session)?.length ?? 0;
      const headers = {
        location: `/v2/${name}/blobs/uploads/${session}`,
        range: `0-${Math.max(0, length - 1)}`,
      };
      return response.writeHead(status, headers).end();
    };
    if (request.method === 'POST') {
      const mount = url.searchParams.get('mount');
      if (mount !== null && registry.blobs.has(mount)) return response.writeHead(201).end();
      const session = randomUUID();
      registry.uploads.set(session, Buffer.alloc(0));
      return progress(202, session);
    }
    const sofar = registry.uploads.get(id);
    if (sofar === undefined) return refuse(response, 404, 'BLOB_UPLOAD_UNKNOWN');
    if (request.method === 'GET') return progress(204, id);
    const start = /^(\d+)-\d+$/.exec(request.headers['content-range'] ?? '')?.[1];
    if (start !== undefined && Number(start) !== sofar.length)
      return refuse(response, 416, 'BLOB_UPLOAD_INVALID');
    // As real ones do, keep also what comes of a body that breaks off.
    for await (const chunk of request) {
      registry.uploads.set(id, Buffer.concat([registry.uploads.get(id) as Buffer, chunk as Buffer]));
    }
    const bytes = registry.uploads.get(id) as Buffer;
    if (request.method === 'PATCH') return progress(202, id);
    const digest = url.searchParams.get('digest') ?? '';
    if (digestOf(bytes) !== digest) return refuse(response, 400, 'DIGEST_INVALID');
    registry.uploads.delete(id);
    registry.blobs.set(digest, bytes);
    return response.writeHead(201, { 'docker-content-digest': digest }).end();
  }

  function referrers(response: ServerResponse, name: string, digest: string) {
    if (options.referrers !== true) return refuse(response, 404, 'UNSUPPORTED');
    const found = new Map<string, object>();
    for (const [key, { bytes, type }] of registry.manifests) {
      const value = JSON.parse(bytes.toString('utf8')) as {
        subject?: { digest: string };
        artifactType?: string;
      };
      if (!key.startsWith(`${name}:`) || value.subject?.digest !== digest) continue;
      const { artifactType } = value;
      const entry = { mediaType: type, digest: digestOf(bytes), size: bytes.length, artifactType };
      found.set(entry.digest, entry);
    }
    response.setHeader('content-type', 'application/vnd.oci.image.index.v1+json');
    return response.end(JSON.stringify({ schemaVersion: 2, manifests: [...found.values()] }));
  }

  return registry;
}

/** An error as registries word it; false, so that a check can end with it. */
export function refuse(response: ServerResponse, status: number, code: string): false {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replaceAll('_', ' ') }] }));
  return false;
}
