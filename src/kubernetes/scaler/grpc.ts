/**
 * gRPC over HTTP/2 without TLS, as much as a small service needs: calls with one message, answered by one or by a stream.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
import { once } from 'node:events';
import {
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';

const MAX_MESSAGE = 64 * 1024;
/** A connection of KEDA has a stream for each ScaledObject. */
const MAX_STREAMS = 10_000;
const PREFIX = 5;

export const STATUS = {
  ok: 0,
  invalidArgument: 3,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

/** What a method throws to answer with a status and a sentence. */
export class GrpcError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface Call {
  readonly request: Uint8Array;
  send(message: Uint8Array): void;
  /** Aborted when the client went away. */
  readonly signal: AbortSignal;
}

/** Resolves when the answer is complete. */
export type Method = (call: Call) => Promise<void> | void;

export interface GrpcServer extends AsyncDisposable {
  readonly port: number;
}

/** `methods`: by path, such as `/package.Service/Method`. Rejects with the system's error when the port cannot be had. */
export async function startGrpcServer(
  listen: { readonly host: string; readonly port: number },
  methods: Readonly<Record<string, Method>>,
): Promise<GrpcServer> {
  const server = createServer({ settings: { maxConcurrentStreams: MAX_STREAMS } });
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined);
    session.once('close', () => sessions.delete(session));
  });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => undefined);
    void answer(stream, headers, methods);
  });
  server.listen(listen);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const session of sessions) session.destroy();
      await once(server, 'close');
    },
  };
}

async function answer(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  methods: Readonly<Record<string, Method>>,
): Promise<void> {
  const { ':method': verb, ':path': path = '', 'content-type': type = '' } = headers;
  if (verb !== 'POST' || !type.startsWith('application/grpc')) {
    stream.respond({ ':status': constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE }, { endStream: true });
    return;
  }
  const end = new AbortController();
  stream.once('close', () => end.abort());
  try {
    const method = Object.hasOwn(methods, path) ? methods[path] : undefined;
    if (method === undefined) throw new GrpcError(STATUS.unimplemented, `There is no method ${path}.`);
    const request = await readMessage(stream);
    const send = (message: Uint8Array): void => {
      if (stream.destroyed) return;
      if (!stream.headersSent) begin(stream);
      stream.write(framed(message));
    };
    await method({ request, send, signal: end.signal });
    finish(stream, STATUS.ok, '');
  } catch (error) {
    const known = error instanceof GrpcError;
    finish(stream, known ? error.status : STATUS.internal, known ? error.message : 'The call failed.');
  }
}

function begin(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
}

/** The status is in the trailers: those of the message, or the only headers that there are. */
function finish(stream: ServerHttp2Stream, status: number, message: string): void {
  if (stream.destroyed) return;
  const trailers = {
    'grpc-status': status,
    ...(message === '' ? {} : { 'grpc-message': encodeURI(message) }),
  };
  if (!stream.headersSent) {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...trailers }, { endStream: true });
    // The rest of the request is of no use (RFC 9113, 8.1); the answer goes out before that is said.
    if (!stream.readableEnded) setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
    return;
  }
  stream.once('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end();
}

async function readMessage(stream: ServerHttp2Stream): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Who sent too much is still answered.
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > PREFIX + MAX_MESSAGE)
      throw new GrpcError(STATUS.resourceExhausted, `A message has ${MAX_MESSAGE} bytes at most.`);
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (bytes.length < PREFIX || bytes.readUInt32BE(1) !== bytes.length - PREFIX)
    throw new GrpcError(STATUS.invalidArgument, 'The request must be one whole message.');
  if (bytes[0] !== 0) throw new GrpcError(STATUS.unimplemented, 'Compressed messages are not read.');
  return bytes.subarray(PREFIX);
}

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(PREFIX);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
