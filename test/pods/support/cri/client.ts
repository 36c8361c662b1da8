/** Calls of CRI: gRPC with one message each way, over HTTP/2 on containerd's socket. */
import { type ClientHttp2Session, connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { type Method, methods } from './messages.ts';
import { type Fields, type Message, decode, encode } from './protobuf.ts';

type Request<M extends Method> = Fields<(typeof methods)[M]['request']>;
type Response<M extends Method> = Fields<(typeof methods)[M]['response']>;

const PREFIX_BYTES = 5;
const CALL_TIMEOUT_MS = 60_000;

export class CriClient implements Disposable {
  readonly #session: ClientHttp2Session;

  constructor(socket: string) {
    this.#session = connect('http://localhost', { createConnection: () => connectSocket(socket) });
    // A lost connection fails the calls on it; that is where it is told.
    this.#session.on('error', () => {});
  }

  /** Throws with the runtime's own sentence when it refuses. */
  call<M extends Method>(method: M, request: Request<M>): Promise<Response<M>> {
    return new Promise((resolve, reject) => {
      const stream = this.#session.request({
        ':method': 'POST',
        ':path': `/runtime.v1.RuntimeService/${method}`,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      const chunks: Buffer[] = [];
      let status: string | undefined;
      let message = '';
      const learn = (headers: Readonly<Record<string, unknown>>) => {
        status = (headers['grpc-status'] as string | undefined) ?? status;
        message = (headers['grpc-message'] as string | undefined) ?? message;
      };
      stream.on('response', learn);
      stream.on('trailers', learn);
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.setTimeout(CALL_TIMEOUT_MS, () => stream.destroy(new Error('no answer')));
      stream.on('error', (error) => reject(new Error(`${method}: ${error.message}`)));
      stream.on('close', () => {
        if (status === '0')
          resolve(
            decode(methods[method].response, Buffer.concat(chunks).subarray(PREFIX_BYTES)) as Response<M>,
          );
        else reject(new Error(`${method}: ${decodeURIComponent(message) || `gRPC status ${status}`}`));
      });
      const body = encode<Message>(methods[method].request, request as Fields<Message>);
      const prefix = Buffer.alloc(PREFIX_BYTES);
      prefix.writeUInt32BE(body.length, 1);
      stream.end(Buffer.concat([prefix, body]));
    });
  }

  [Symbol.dispose](): void {
    this.#session.destroy();
  }
}
