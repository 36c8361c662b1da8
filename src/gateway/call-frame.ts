import { HOP_BY_HOP, CONNECTION, REQUEST_ID, TRANSFER_ENCODING, EXPECT } from '../http/fields.ts';
import { type RequestParts, requestFrameLength, writeRequestFrame } from '../runtime/abi/request-frame.ts';
import type { RequestSource } from '../runtime/guest.ts';
import type { Call } from './call.ts';

const NOBODY = Buffer.alloc(0);

/**
 * A call as the guest will see it. One object per thread, pointed at one call after the other. The guest gets every
 * header field but those about the connection, and always a request id.
 */
export class CallFrame implements RequestSource {
  readonly #parts: RequestParts;
  #skipped = new Int32Array(64);

  constructor() {
    this.#parts = {
      method: 0,
      head: NOBODY,
      headStart: 0,
      headEnd: 0,
      pathStart: 0,
      pathEnd: 0,
      queryStart: 0,
      queryEnd: 0,
      headers: new Int32Array(0),
      headerCount: 0,
      skipped: this.#skipped,
      skippedCount: 0,
      extra: NOBODY,
      extraEnd: 0,
      extraHeaders: new Int32Array(4),
      extraCount: 1,
      user: NOBODY,
      body: NOBODY,
      bodyStart: 0,
      bodyEnd: 0,
    };
  }

  /** The next frame is this call's. */
  show(call: Call): this {
    const { exchange, session } = call;
    const { head, bytes } = exchange;
    const parts = this.#parts;
    parts.method = head.method;
    parts.head = bytes;
    parts.headStart = head.start;
    parts.headEnd = head.end;
    parts.pathStart = head.pathStart;
    parts.pathEnd = head.pathEnd;
    parts.queryStart = head.queryStart;
    parts.queryEnd = head.queryEnd;
    parts.headers = head.headers;
    parts.headerCount = head.headerCount;
    parts.user = session === null ? NOBODY : session.json;
    parts.body = exchange.body;
    parts.bodyStart = exchange.bodyStart;
    parts.bodyEnd = exchange.bodyEnd;
    this.#skip(head.kinds, head.headerCount);
    const id = call.requestIdLine();
    parts.extra = id.bytes;
    parts.extraEnd = id.valueEnd;
    parts.extraHeaders = id.row;
    return this;
  }

  frameLength(): number {
    return requestFrameLength(this.#parts);
  }

  writeFrame(target: Buffer, at: number): void {
    writeRequestFrame(this.#parts, target, at);
  }

  #skip(kinds: Uint8Array, count: number): void {
    if (this.#skipped.length < count) this.#parts.skipped = this.#skipped = new Int32Array(count);
    let skipped = 0;
    for (let row = 0; row < count; row++) if (isSkipped(kinds[row])) this.#skipped[skipped++] = row;
    this.#parts.skippedCount = skipped;
  }
}

/** About the connection (RFC 9110 §7.6.1), or replaced by a field of ours. */
export function isSkipped(kind: number): boolean {
  return (
    kind === HOP_BY_HOP ||
    kind === CONNECTION ||
    kind === TRANSFER_ENCODING ||
    kind === EXPECT ||
    kind === REQUEST_ID
  );
}
