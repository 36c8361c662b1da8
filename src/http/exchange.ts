import { HEAD } from '../model/method.ts';
import { type ProblemCode, problems } from '../model/problems.ts';
import { RequestHead } from './head.ts';
import type { Output } from './output.ts';
import { problemDocument, problemHeaders } from './problem.ts';
import { statusLine } from './status-line.ts';

/** What carries an exchange: an HTTP/1 connection or an HTTP/2 stream. */
export interface Carrier {
  /** Where the response is put together. Nobody else writes to it between `begin` and `end`. */
  readonly output: Output;
  /** `date: …\r\n`, the same for a second. */
  readonly dateLine: Buffer;
  /** The client's IP address, empty when it is gone already. */
  remoteAddress(): string;
  /** The response is complete in output.bytes[responseStart, output.length). */
  answered(exchange: Exchange): void;
}

/** What a gateway does with requests. All are called synchronously and must not throw. */
export interface RequestHandler<Context = unknown> {
  /**
   * The head is complete. Returns how many bytes of body are accepted (0 or more), or −1 when the request is answered
   * already; the connection then closes if a part of the body was still to come.
   */
  onHead(exchange: Exchange<Context>): number;
  /** The body is complete: answer now or later. */
  onRequest(exchange: Exchange<Context>): void;
  /**
   * A request that `onHead` accepted ends without the handler's answer: the client left (`status` 0), or its body was
   * refused (`status` says how it was answered). Release what is held for it; `end` does nothing any more.
   */
  onAborted(exchange: Exchange<Context>): void;
}

export interface ProblemExtra {
  /** Instead of the catalogue's detail. */
  readonly detail?: string;
  /** Further header lines, each with its CRLF (`allow: GET\r\n`). */
  readonly headers?: Buffer;
}

const contentLength = Buffer.from('content-length: ');
const crlf = Buffer.from('\r\n');
const closeLine = Buffer.from('connection: close\r\n');
const keepAliveLine = Buffer.from('connection: keep-alive\r\n');

/**
 * One request and the answer to it; one object per connection, reused. The bytes belong to the connection: offsets
 * and buffers hold until `onRequest` returns, and are copied when it returns without an answer, so read `bytes`,
 * `head` and `body` anew afterwards.
 *
 * An answer is `begin`, any number of header blocks, `end`, without waiting for anything in between.
 */
export class Exchange<Context = unknown> {
  head: RequestHead;
  /** What the head's offsets refer to. */
  bytes: Buffer;
  /** The body is body[bodyStart, bodyEnd), decoded. */
  body: Buffer;
  bodyStart = 0;
  bodyEnd = 0;
  readonly secure: boolean;
  readonly http2: boolean;
  /** Where the answer is put together: header lines may also be written there, between `begin` and `end`. */
  readonly output: Output;
  /** For the handler's use. Stays from request to request of a connection. */
  context: Context | null = null;
  /** Member `instance` of problem documents; the handler sets it, every request starts with null. */
  requestId: string | null = null;
  /** Status of the answer, 0 before there is one. */
  status = 0;
  /** Which problem the answer is, null when it is none. */
  problemCode: ProblemCode | null = null;
  /** Bytes of the answer's body. */
  responseBytes = 0;
  /** The client left, or was refused, before the handler answered. */
  aborted = false;
  /** Whether the connection stays open after this answer. Only `true` → `false` may be set from outside. */
  keepAlive = true;
  /** Where the response begins in the output. */
  responseStart = 0;
  readonly #carrier: Carrier;

  constructor(carrier: Carrier, secure: boolean, http2: boolean) {
    this.#carrier = carrier;
    this.output = carrier.output;
    this.head = noHead;
    this.secure = secure;
    this.http2 = http2;
    this.bytes = nothing;
    this.body = nothing;
  }

  get remoteAddress(): string {
    return this.#carrier.remoteAddress();
  }

  /** For the carrier: the head of another request is complete. */
  open(head: RequestHead, bytes: Buffer, keepAlive: boolean): void {
    this.head = head;
    this.bytes = bytes;
    this.body = bytes;
    this.bodyStart = head.end;
    this.bodyEnd = head.end;
    this.requestId = null;
    this.status = 0;
    this.problemCode = null;
    this.responseBytes = 0;
    this.aborted = false;
    this.keepAlive = keepAlive;
  }

  get answered(): boolean {
    return this.status !== 0;
  }

  /** Starts the answer. Status 200..599. */
  begin(status: number): void {
    if (this.status !== 0 && !this.aborted)
      throw new Error('Cannot begin a response: the request is answered already');
    const { output } = this;
    this.responseStart = output.length;
    this.status = status;
    const line = statusLine(status);
    output.put(line, 0, line.length);
  }

  /** Header lines rendered before, each with its CRLF. Not content-length, date or connection: `end` writes them. */
  headerBlock(lines: Buffer, start: number, end: number): void {
    this.output.put(lines, start, end);
  }

  /** One header with a number: prefix is `name: `. */
  headerNumber(prefix: Buffer, value: number): void {
    const { output } = this;
    output.put(prefix, 0, prefix.length);
    output.putNumber(value);
    output.put(crlf, 0, 2);
  }

  /** Completes the answer with body[start, end), which is copied. */
  end(body: Buffer | null, start: number, end: number): void {
    const { output } = this;
    const { dateLine } = this.#carrier;
    // RFC 9110 §15.3.6: a body after 205 would be read as the next response.
    const length = body === null || this.status === 205 ? 0 : end - start;
    this.responseBytes = length;
    const bodiless = this.status === 204 || this.status === 304;
    if (!bodiless) this.headerNumber(contentLength, length);
    output.put(dateLine, 0, dateLine.length);
    if (!this.keepAlive) output.put(closeLine, 0, closeLine.length);
    else if (this.head.minorVersion === 0) output.put(keepAliveLine, 0, keepAliveLine.length);
    output.put(crlf, 0, 2);
    if (body !== null && length > 0 && !bodiless && this.head.method !== HEAD) output.put(body, start, end);
    if (this.aborted) output.length = this.responseStart;
    else this.#carrier.answered(this as Exchange);
  }

  /** The whole answer as an RFC 9457 problem document. */
  problem(code: ProblemCode, extra?: ProblemExtra): void {
    this.problemCode = code;
    const document = problemDocument(code, extra?.detail, this.requestId);
    this.begin(problems[code].status);
    this.headerBlock(problemHeaders, 0, problemHeaders.length);
    if (extra?.headers !== undefined) this.headerBlock(extra.headers, 0, extra.headers.length);
    this.end(document, 0, document.length);
  }
}

const nothing = Buffer.alloc(0);
const noHead = new RequestHead();
