import type { IncomingMessage } from 'node:http';
import { METHODS } from '../../src/model/method.ts';
import {
  type RequestParts,
  requestFrameLength,
  writeRequestFrame,
} from '../../src/runtime/abi/request-frame.ts';
import type { RequestSource } from '../../src/runtime/guest.ts';

const MAX_HEAD_BYTES = 16_384;
const NOTHING = Buffer.alloc(0);

/** A request of node:http in the form that our guests take. One object, pointed at one request after the other. */
export class NodeHttpFrame implements RequestSource {
  readonly #head = Buffer.alloc(MAX_HEAD_BYTES);
  readonly #parts: RequestParts = {
    method: 0,
    head: this.#head,
    headStart: 0,
    headEnd: 0,
    pathStart: 0,
    pathEnd: 0,
    queryStart: 0,
    queryEnd: 0,
    headers: new Int32Array(400),
    headerCount: 0,
    skipped: new Int32Array(0),
    skippedCount: 0,
    extra: NOTHING,
    extraEnd: 0,
    extraHeaders: new Int32Array(0),
    extraCount: 0,
    user: NOTHING,
    body: NOTHING,
    bodyStart: 0,
    bodyEnd: 0,
  };

  show(request: IncomingMessage, user: Buffer, body: Buffer): this {
    const parts = this.#parts;
    const head = this.#head;
    const { rawHeaders } = request;
    parts.method = METHODS.indexOf(request.method as (typeof METHODS)[number]);
    let at = head.write(request.url ?? '', 0, 'latin1');
    parts.pathEnd = at;
    for (let i = 0; i < rawHeaders.length; i++) {
      parts.headers[i * 2] = at;
      at += head.write(rawHeaders[i] as string, at, 'latin1');
      parts.headers[i * 2 + 1] = at;
    }
    parts.headEnd = at;
    parts.headerCount = rawHeaders.length / 2;
    parts.user = user;
    parts.body = body;
    parts.bodyEnd = body.length;
    return this;
  }

  frameLength(): number {
    return requestFrameLength(this.#parts);
  }

  writeFrame(target: Buffer, at: number): void {
    writeRequestFrame(this.#parts, target, at);
  }
}
