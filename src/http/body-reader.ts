import { ChunkedDecoder } from './chunked.ts';
import type { Exchange } from './exchange.ts';
import { RequestHead } from './head.ts';
import { CONTENT_TOO_LARGE } from './rejection.ts';

/** What a body that is not all here yet gets at least, once. */
const LEAST_BYTES = 16_384;

/**
 * Reads a connection's request bodies, of known length or chunked. A body that lies complete behind its head stays
 * there; any other moves, head included, to a buffer of the request's own.
 *
 * `begin` and `read` return the offset behind the body when it is complete, 0 when they have taken all bytes and more
 * must come, or a rejection.
 */
export class BodyReader {
  readonly #exchange: Exchange;
  /** Most connections never need these two. */
  #ownHead: RequestHead | null = null;
  #decoder: ChunkedDecoder | null = null;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** The head has been read; source[start, end) is what came with it. */
  begin(source: Buffer, start: number, end: number, maxBytes: number): number {
    const exchange = this.#exchange;
    const { head } = exchange;
    if (head.chunked) return this.#beginChunked(source, start, end, maxBytes);
    const length = Math.max(head.contentLength, 0);
    if (length > maxBytes) return CONTENT_TOO_LARGE;
    if (length > end - start) {
      this.#move(source, start, end, length);
      return 0;
    }
    exchange.bodyStart = start;
    exchange.bodyEnd = start + length;
    return exchange.bodyEnd;
  }

  read(source: Buffer, start: number, end: number): number {
    const exchange = this.#exchange;
    const { head } = exchange;
    if (head.chunked) return this.#readChunked(source, start, end);
    const missing = head.contentLength - (exchange.bodyEnd - exchange.bodyStart);
    const taken = Math.min(missing, end - start);
    this.#reserve(taken);
    source.copy(exchange.body, exchange.bodyEnd, start, start + taken);
    exchange.bodyEnd += taken;
    return taken === missing ? start + taken : 0;
  }

  /** The complete request will be needed for longer than what it was read from. */
  keep(): void {
    const { bytes, body, bodyStart, bodyEnd, head } = this.#exchange;
    if (bytes === body && head === this.#ownHead) return;
    this.#move(body, bodyStart, bodyEnd, bodyEnd - bodyStart);
  }

  #beginChunked(source: Buffer, start: number, end: number, maxBytes: number): number {
    const exchange = this.#exchange;
    this.#decoder ??= new ChunkedDecoder();
    const decoder = this.#decoder;
    decoder.start(maxBytes);
    const result = decoder.decode(source, start, end, source, start);
    if (result < 0) return result;
    exchange.bodyStart = start;
    exchange.bodyEnd = decoder.targetOffset;
    if (result > 0) return decoder.sourceOffset;
    this.#move(source, start, exchange.bodyEnd, exchange.bodyEnd - start);
    return 0;
  }

  #readChunked(source: Buffer, start: number, end: number): number {
    const exchange = this.#exchange;
    const decoder = this.#decoder as ChunkedDecoder;
    this.#reserve(end - start);
    const result = decoder.decode(source, start, end, exchange.body, exchange.bodyEnd);
    if (result < 0) return result;
    exchange.bodyEnd = decoder.targetOffset;
    return result > 0 ? decoder.sourceOffset : 0;
  }

  /** Copies head and what there is of the body to a buffer of the request's own. */
  #move(source: Buffer, bodyStart: number, bodyEnd: number, expectedBody: number): void {
    const exchange = this.#exchange;
    const { head } = exchange;
    const headLength = head.end - head.start;
    const present = bodyEnd - bodyStart;
    // What a client announces is not allocated before it arrives.
    const room = Math.min(expectedBody, Math.max(present * 2, LEAST_BYTES));
    const own = Buffer.allocUnsafeSlow(headLength + Math.max(room, present));
    source.copy(own, 0, head.start, head.end);
    source.copy(own, headLength, bodyStart, bodyEnd);
    this.#ownHead ??= new RequestHead();
    this.#ownHead.copyFrom(head, -head.start);
    exchange.head = this.#ownHead;
    exchange.bytes = own;
    exchange.body = own;
    exchange.bodyStart = headLength;
    exchange.bodyEnd = headLength + present;
  }

  #reserve(count: number): void {
    const exchange = this.#exchange;
    const needed = exchange.bodyEnd + count;
    if (needed <= exchange.body.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, exchange.body.length * 2));
    exchange.body.copy(larger, 0, 0, exchange.bodyEnd);
    exchange.bytes = larger;
    exchange.body = larger;
  }
}
