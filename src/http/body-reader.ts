import type { BodyBudget } from './body-budget.ts';
import { ChunkedDecoder } from './chunked.ts';
import type { Exchange } from './exchange.ts';
import { RequestHead } from './head.ts';
import { CONTENT_TOO_LARGE } from './rejection.ts';

/** All connections together have too many bodies under way: a number that no rejection has. */
export const NO_ROOM = -100;

/** What a body that is not all here yet gets at least, once. */
const LEAST_BYTES = 16_384;

/**
 * Reads a connection's request bodies, of known length or chunked. A body that lies complete behind its head stays
 * there; any other moves, head included, to a buffer of the request's own.
 *
 * `begin` and `read` return the offset behind the body when it is complete, 0 when they have taken all bytes and more
 * must come, or a rejection, or NO_ROOM.
 */
export class BodyReader {
  readonly #exchange: Exchange;
  readonly #budget: BodyBudget;
  /** What of the budget is taken for the buffer of its own. */
  #taken = 0;
  /** Most connections never need these two. */
  #ownHead: RequestHead | null = null;
  #decoder: ChunkedDecoder | null = null;

  constructor(exchange: Exchange, budget: BodyBudget) {
    this.#exchange = exchange;
    this.#budget = budget;
  }

  /** The request is over: its buffer is nobody's any more. */
  release(): void {
    if (this.#taken === 0) return;
    this.#budget.give(this.#taken);
    this.#taken = 0;
    this.#exchange.bytes = nothing;
    this.#exchange.body = nothing;
  }

  /** The head has been read; source[start, end) is what came with it. */
  begin(source: Buffer, start: number, end: number, maxBytes: number): number {
    const exchange = this.#exchange;
    const { head } = exchange;
    if (head.chunked) return this.#beginChunked(source, start, end, maxBytes);
    const length = Math.max(head.contentLength, 0);
    if (length > maxBytes) return CONTENT_TOO_LARGE;
    if (length > end - start) {
      return this.#move(source, start, end, length) ? 0 : NO_ROOM;
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
    if (!this.#reserve(taken)) return NO_ROOM;
    source.copy(exchange.body, exchange.bodyEnd, start, start + taken);
    exchange.bodyEnd += taken;
    return taken === missing ? start + taken : 0;
  }

  /** The complete request will be needed for longer than what it was read from. */
  keep(): void {
    const { bytes, body, bodyStart, bodyEnd, head } = this.#exchange;
    if (bytes === body && head === this.#ownHead) return;
    this.#budget.takeAnyway(this.#moveTo(body, bodyStart, bodyEnd, bodyEnd - bodyStart));
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
    return this.#move(source, start, exchange.bodyEnd, exchange.bodyEnd - start) ? 0 : NO_ROOM;
  }

  #readChunked(source: Buffer, start: number, end: number): number {
    const exchange = this.#exchange;
    const decoder = this.#decoder as ChunkedDecoder;
    if (!this.#reserve(end - start)) return NO_ROOM;
    const result = decoder.decode(source, start, end, exchange.body, exchange.bodyEnd);
    if (result < 0) return result;
    exchange.bodyEnd = decoder.targetOffset;
    return result > 0 ? decoder.sourceOffset : 0;
  }

  /** Copies head and what there is of the body to a buffer of the request's own. False: there is no room for it. */
  #move(source: Buffer, bodyStart: number, bodyEnd: number, expectedBody: number): boolean {
    const { head } = this.#exchange;
    const present = bodyEnd - bodyStart;
    // What a client announces is not allocated before it arrives.
    const room = Math.max(Math.min(expectedBody, Math.max(present * 2, LEAST_BYTES)), present);
    if (!this.#budget.take(head.end - head.start + room)) return false;
    this.#moveTo(source, bodyStart, bodyEnd, room);
    return true;
  }

  /** Returns how long the buffer is. `room`: for the body. */
  #moveTo(source: Buffer, bodyStart: number, bodyEnd: number, room: number): number {
    const exchange = this.#exchange;
    const { head } = exchange;
    const headLength = head.end - head.start;
    const own = Buffer.allocUnsafeSlow(headLength + room);
    source.copy(own, 0, head.start, head.end);
    source.copy(own, headLength, bodyStart, bodyEnd);
    this.#ownHead ??= new RequestHead();
    this.#ownHead.copyFrom(head, -head.start);
    exchange.head = this.#ownHead;
    exchange.bytes = own;
    exchange.body = own;
    exchange.bodyStart = headLength;
    exchange.bodyEnd = headLength + bodyEnd - bodyStart;
    this.#taken += own.length;
    return own.length;
  }

  /** False: there is no room for it. */
  #reserve(count: number): boolean {
    const exchange = this.#exchange;
    const { length } = exchange.body;
    const needed = exchange.bodyEnd + count;
    if (needed <= length) return true;
    const larger = Math.max(needed, length * 2);
    if (!this.#budget.take(larger - length)) return false;
    this.#taken += larger - length;
    const buffer = Buffer.allocUnsafeSlow(larger);
    exchange.body.copy(buffer, 0, 0, exchange.bodyEnd);
    exchange.bytes = buffer;
    exchange.body = buffer;
    return true;
  }
}

const nothing = Buffer.alloc(0);
