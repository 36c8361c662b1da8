import {
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { ProblemCode } from '../model/problems.ts';
import { type Carrier, Exchange } from './exchange.ts';
import type { Front } from './front.ts';
import { RequestHead } from './head.ts';
import { Output } from './output.ts';
import { BAD_REQUEST, rejectionProblem } from './rejection.ts';
import { scanHead } from './scan.ts';

const MIN_BYTES_PER_MS = 1;
const NOTHING = Buffer.alloc(0);

/** Fields about an HTTP/1.1 connection, which HTTP/2 must not carry (RFC 9113 §8.2.2; RFC 7540 §3.2.1 has the last). */
const NOT_IN_HTTP2: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/**
 * One HTTP/2 stream as an exchange. Its header fields are written down as an HTTP/1.1 head and scanned like one, so
 * that exactly the same is refused; the response, put together as HTTP/1.1, is taken apart again at its end. Node's
 * HTTP/2 costs many times more than that.
 */
export class StreamCarrier<Context = unknown> implements Carrier {
  readonly output = new Output(1024);
  readonly #stream: ServerHttp2Stream;
  readonly #front: Front<Context>;
  readonly #socket: TLSSocket;
  readonly #exchange: Exchange<Context>;
  /** One buffer, not the list of what came: a client that sends a byte a frame would fill the memory with bookkeeping. */
  #body: Buffer = NOTHING;
  #bodyBytes = 0;
  #maxBody = 0;
  #accepted = false;
  #phaseStart: number;
  #phaseBytes = 0;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    front: Front<Context>,
    socket: TLSSocket,
  ) {
    this.#stream = stream;
    this.#front = front;
    this.#socket = socket;
    this.#phaseStart = front.now;
    this.#exchange = new Exchange<Context>(this, true, true);
    stream.on('error', () => front.stats.socketErrors++);
    stream.on('close', () => this.#closed());
    this.#begin(headers);
  }

  get dateLine(): Buffer {
    return this.#front.dateLine;
  }

  remoteAddress(): string {
    return this.#socket.remoteAddress ?? '';
  }

  #begin(headers: IncomingHttpHeaders): void {
    const exchange = this.#exchange;
    const head = new RequestHead();
    const bytes = headBytes(headers);
    const result = bytes === null ? BAD_REQUEST : scanHead(bytes, 0, bytes.length, head, this.#front.http);
    exchange.open(head, bytes ?? NOTHING, true);
    if (bytes === null || result <= 0)
      return this.#refuse(rejectionProblem(result === 0 ? BAD_REQUEST : result));
    this.#accepted = true;
    this.#maxBody = this.#front.handler.onHead(exchange);
    if (exchange.answered) return undefined;
    if (head.contentLength > this.#maxBody) return this.#refuse('content-too-large');
    if (head.expectContinue) this.#stream.additionalHeaders({ ':status': 100 });
    this.#stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#stream.on('end', () => this.#dispatch());
    return undefined;
  }

  #receive(chunk: Buffer): void {
    if (this.#exchange.answered) return;
    this.#phaseBytes += chunk.length;
    this.#front.stats.bytesRead += chunk.length;
    if (this.#bodyBytes + chunk.length > this.#maxBody) this.#refuse('content-too-large');
    else this.#append(chunk);
  }

  #append(chunk: Buffer): void {
    const needed = this.#bodyBytes + chunk.length;
    if (needed > this.#body.length) {
      const length = Math.max(needed, Math.min(this.#body.length * 2, this.#maxBody));
      if (!this.#front.bodies.take(length - this.#body.length)) return this.#refuse('overloaded');
      const larger = Buffer.allocUnsafeSlow(length);
      this.#body.copy(larger, 0, 0, this.#bodyBytes);
      this.#body = larger;
    }
    chunk.copy(this.#body, this.#bodyBytes);
    this.#bodyBytes = needed;
  }

  #dispatch(): void {
    if (this.#exchange.answered || this.#exchange.aborted) return;
    const exchange = this.#exchange;
    if (this.#bodyBytes > 0) {
      exchange.body = this.#body;
      exchange.bodyStart = 0;
      exchange.bodyEnd = this.#bodyBytes;
    }
    this.#front.handler.onRequest(exchange);
  }

  answered(exchange: Exchange): void {
    this.#accepted = false;
    this.#phaseStart = this.#front.now;
    const { bytes, length } = this.output;
    const { headers, bodyStart } = readResponse(bytes, length);
    headers[':status'] = exchange.status;
    this.#phaseBytes = length;
    this.#front.stats.bytesWritten += length;
    if (this.#stream.destroyed) return;
    const body = Buffer.from(bytes.subarray(bodyStart, length));
    try {
      this.#stream.respond(headers, { endStream: body.length === 0 });
    } catch {
      // A function chose these fields: whatever they are, only its own caller may suffer.
      this.#front.stats.socketErrors++;
      return this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    }
    if (body.length > 0) this.#stream.end(body);
  }

  #refuse(code: ProblemCode): void {
    const exchange = this.#exchange;
    const accepted = this.#accepted;
    this.#front.countRejection(code, accepted);
    exchange.problem(code);
    this.#stream.resume(); // what still arrives is dropped
    if (!accepted) return;
    exchange.aborted = true;
    this.#front.handler.onAborted(exchange);
  }

  #closed(): void {
    this.#front.streams.delete(this);
    this.#front.bodies.give(this.#body.length);
    this.#body = NOTHING;
    if (!this.#accepted) return;
    this.#accepted = false;
    this.#exchange.aborted = true;
    this.#front.handler.onAborted(this.#exchange);
  }

  /** Called a few times a second: a body or an answer that makes no headway ends the stream. */
  checkTime(now: number): void {
    const allowed = this.#front.http.timeoutMs + this.#phaseBytes / MIN_BYTES_PER_MS;
    const waitsForHandler = this.#accepted && this.#stream.readableEnded;
    if (waitsForHandler || now - this.#phaseStart <= allowed) return;
    this.#front.stats.timedOut++;
    if (this.#accepted) this.#refuse('request-timeout');
    else this.#stream.destroy();
  }
}

/** The HTTP/1.1 head that says the same, null when some part could not stand in one. */
function headBytes(headers: IncomingHttpHeaders): Buffer | null {
  const host = headers[':authority'] ?? headers.host ?? '';
  let text = `${headers[':method'] ?? ''} ${headers[':path'] ?? ''} HTTP/1.1\r\nhost: ${host}\r\n`;
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || name === 'host' || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) text += `${name}: ${one}\r\n`;
  }
  // Each line was to have one line end. One more, from within a value, would smuggle a field or a request.
  const parts = text.split(/[\r\n]+/).length;
  const expected = 3 + Object.entries(headers).reduce((sum, [name, value]) => sum + lines(name, value), 0);
  return parts === expected ? Buffer.from(`${text}\r\n`, 'latin1') : null;
}

function lines(name: string, value: string | string[] | undefined): number {
  if (name.startsWith(':') || name === 'host' || value === undefined) return 0;
  return Array.isArray(value) ? value.length : 1;
}

/** Takes an HTTP/1.1 response apart: fields, and where the body begins. */
function readResponse(bytes: Buffer, length: number): { headers: OutgoingHttpHeaders; bodyStart: number } {
  const headEnd = bytes.subarray(0, length).indexOf('\r\n\r\n');
  // A field may be called `constructor`: nothing is inherited.
  const headers = Object.create(null) as Record<string, string | number | string[]>;
  const [, ...fieldLines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  for (const line of fieldLines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (NOT_IN_HTTP2.has(name)) continue;
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else headers[name] = [...(Array.isArray(before) ? before : [String(before)]), value];
  }
  return { headers, bodyStart: headEnd + 4 };
}
