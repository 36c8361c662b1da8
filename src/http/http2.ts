import { type ServerHttp2Session, constants, performServerHandshake } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Front } from './front.ts';
import { StreamCarrier } from './http2-stream.ts';

const MAX_STREAMS = 100;
const LAST_STREAM = 2 ** 31 - 1;
/** Pseudo-header fields, which count as pairs beside the fields proper. */
const PSEUDO_FIELDS = 4;

/** An HTTP/2 connection on a TLS socket that negotiated it: node:http2 does the protocol, each stream is an exchange. */
export class Http2Connection<Context = unknown> {
  readonly #session: ServerHttp2Session;
  readonly #front: Front<Context>;

  constructor(socket: TLSSocket, front: Front<Context>) {
    const { http } = front;
    this.#front = front;
    this.#session = performServerHandshake(socket, {
      maxHeaderListPairs: http.maxHeaders + PSEUDO_FIELDS,
      // What a function may say over HTTP/1.1, two Location fields for instance, it may say here.
      strictSingleValueFields: false,
      settings: {
        maxConcurrentStreams: MAX_STREAMS,
        maxHeaderListSize: http.maxHeadBytes,
        enablePush: false,
      },
    });
    this.#session.setTimeout(http.timeoutMs, () => this.#idle());
    this.#session.on('error', () => front.stats.socketErrors++);
    this.#session.on('close', () => front.sessions.delete(this));
    this.#session.on('stream', (stream, headers) => {
      front.streams.add(new StreamCarrier(stream, headers, front, socket));
    });
  }

  /** Nothing was sent or received for a while; streams that wait for an answer are not to blame. */
  #idle(): void {
    if (this.#front.streams.size === 0) this.#front.stats.timedOut++;
    this.#session.close();
  }

  /**
   * GOAWAY with the highest stream there can be (RFC 9113, 6.8): the client opens no further streams, and those that are
   * on their way already are answered.
   */
  leave(): void {
    this.#session.goaway(constants.NGHTTP2_NO_ERROR, LAST_STREAM);
  }

  /** GOAWAY: streams that are open may finish, no further ones. */
  drain(): void {
    this.#session.close();
  }

  destroy(): void {
    this.#session.destroy();
  }
}
