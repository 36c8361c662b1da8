/** The gateway's own HTTP front (src/http) around a function that answers everything with an empty 200. */
import type { Socket } from 'node:net';
import { RequestIdLine, RequestIds } from '../../../src/gateway/request-id.ts';
import { Connection } from '../../../src/http/connection.ts';
import type { Exchange, RequestHandler } from '../../../src/http/exchange.ts';
import { CONNECTION, EXPECT, HOP_BY_HOP, REQUEST_ID, TRANSFER_ENCODING } from '../../../src/http/fields.ts';
import { Front } from '../../../src/http/front.ts';
import { METHODS } from '../../../src/model/method.ts';
import { requestFrameLength, writeRequestFrame } from '../../../src/runtime/abi/request-frame.ts';
import { limits, MAX_BODY } from '../../fuzz/http-subject.ts';
import { frameText, type HttpObservation, withoutNames } from './http-observation.ts';

const NOBODY = Buffer.alloc(0);
const SKIPPED = new Set([HOP_BY_HOP, CONNECTION, TRANSFER_ENCODING, EXPECT, REQUEST_ID]);

export class GatewayHttp implements RequestHandler {
  readonly #front = new Front(this, limits);
  readonly #ids = new RequestIds();
  #requests: string[] = [];

  /** `cuts` are ascending offsets within the bytes. */
  observe(bytes: Buffer, cuts: readonly number[]): HttpObservation {
    this.#requests = [];
    const sent: Buffer[] = [];
    let closed = false;
    const socket = {
      writableLength: 0,
      write: (part: Buffer) => sent.push(Buffer.from(part)),
      end: () => (closed = true),
      pause() {},
      resume() {},
      destroy() {},
      isPaused: () => false,
    };
    const connection = new Connection(socket as unknown as Socket, this.#front, false);
    const shared = this.#front.readBuffer;
    let start = 0;
    for (const end of [...cuts, bytes.length]) {
      if (end === start) continue;
      bytes.copy(shared, 0, start, end);
      connection.receive(shared, end - start);
      start = end;
    }
    connection.closed();
    return {
      requests: this.#requests,
      answers: withoutNames(Buffer.concat(sent).toString('latin1')),
      closed,
    };
  }

  onHead(exchange: Exchange): number {
    const { head, bytes } = exchange;
    if (bytes[head.pathStart] !== 0x2a) return MAX_BODY;
    // No route is called `*`.
    exchange.requestId = this.#idLine(exchange).value();
    exchange.problem('not-found');
    return -1;
  }

  onRequest(exchange: Exchange): void {
    const id = this.#idLine(exchange);
    this.#requests.push(frameText(frameOf(exchange, id)));
    exchange.begin(200);
    exchange.headerBlock(id.bytes, 0, id.lineEnd);
    exchange.end(null, 0, 0);
  }

  onAborted(): void {}

  #idLine({ head, bytes }: Exchange): RequestIdLine {
    const line = new RequestIdLine();
    const row = head.row(REQUEST_ID);
    if (row < 0 || !line.take(bytes, head.valueStart(row), head.valueEnd(row))) line.make(this.#ids);
    return line;
  }
}

function frameOf(exchange: Exchange, id: RequestIdLine): Buffer {
  const { head } = exchange;
  const skipped = [...head.kinds.subarray(0, head.headerCount).entries()]
    .filter(([, kind]) => SKIPPED.has(kind))
    .map(([row]) => row);
  const parts = {
    method: head.method,
    head: exchange.bytes,
    headStart: head.start,
    headEnd: head.end,
    pathStart: head.pathStart,
    pathEnd: head.pathEnd,
    queryStart: head.queryStart,
    queryEnd: head.queryEnd,
    headers: head.headers,
    headerCount: head.headerCount,
    skipped: Int32Array.from(skipped),
    skippedCount: skipped.length,
    extra: id.bytes,
    extraEnd: id.valueEnd,
    extraHeaders: id.row,
    extraCount: 1,
    user: NOBODY,
    body: exchange.body,
    bodyStart: exchange.bodyStart,
    bodyEnd: exchange.bodyEnd,
  };
  const frame = Buffer.alloc(requestFrameLength(parts));
  writeRequestFrame(parts, frame, 0);
  if (METHODS[frame[1] as number] === undefined) throw new Error('no such method');
  return frame;
}
