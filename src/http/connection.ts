import type { Socket } from 'node:net';
import { ASTERISK, CR, LF } from './characters.ts';
import { ChunkedDecoder } from './chunked.ts';
import { type Carrier, Exchange } from './exchange.ts';
import { type Front, LINGER_MS } from './front.ts';
import { RequestHead } from './head.ts';
import { HeldBytes } from './held.ts';
import type { Output } from './output.ts';
import { normalisePath } from './path.ts';
import { CONTENT_TOO_LARGE, rejectionProblem } from './rejection.ts';
import { scanHead } from './scan.ts';
import type { ProblemCode } from '../model/problems.ts';

/** Between requests, or within a head. */
const HEAD_STATE = 0;
const BODY_STATE = 1;
/** The handler has the request and has not answered yet. */
const HANDLING = 2;
/** The last answer is on its way; what still arrives is dropped. */
const LINGERING = 3;
const CLOSED = 4;

/** Unsent answers beyond which no further request is read. */
const MAX_UNSENT_BYTES = 262_144;
/** Unread requests that are kept while one is being handled. */
const MAX_HELD_BYTES = 65_536;
const SHORT_HEAD_BYTES = 1024;
/** A batch of answers is written when it is this long. */
const BATCH_BYTES = 65_536;
/** Slower than a byte a millisecond, averaged after the first timeout, is an attack and not a client. */
const MIN_BYTES_PER_MS = 1;

const goOn = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n');
const nothing = Buffer.alloc(0);

/**
 * An HTTP/1 connection: bytes in, requests to the handler one after the other, answers out in the same order.
 *
 * Bytes arrive in a read buffer that all connections share. A request that is complete in there is handled in place.
 * What is not complete, or not answered at once, is copied: unparsed bytes to `#held`, a request to `exchange.bytes`.
 */
export class Connection<Context = unknown> implements Carrier {
  readonly exchange: Exchange<Context>;
  readonly #front: Front<Context>;
  readonly #socket: Socket;
  /** For a request that cannot be finished at once; most connections never need them. */
  #ownHead: RequestHead | null = null;
  #decoder: ChunkedDecoder | null = null;
  #state = HEAD_STATE;
  readonly #held = new HeldBytes();
  /** A part of a head has arrived: from then on its time runs. */
  #headBegun = false;
  #maxBody = 0;
  /** The handler knows of the current request and has not answered it. */
  #accepted = false;
  #clientEnded = false;
  /** Too much is unsent: nothing is read until it went out. */
  #stalled = false;
  /** When the current phase began, what arrived in it, and when something last did. */
  #phaseStart: number;
  #phaseBytes = 0;
  #lastProgress: number;
  /** The same for what the client has not taken yet. */
  #unsentSince = 0;
  #unsentBytes = 0;
  #address: string | null = null;

  constructor(socket: Socket, front: Front<Context>, secure: boolean) {
    this.#socket = socket;
    this.#front = front;
    this.#phaseStart = front.now;
    this.#lastProgress = front.now;
    this.exchange = new Exchange<Context>(this, secure, false);
    front.connections.add(this);
  }

  get output(): Output {
    return this.#front.output;
  }

  get dateLine(): Buffer {
    return this.#front.dateLine;
  }

  remoteAddress(): string {
    this.#address ??= this.#socket.remoteAddress ?? '';
    return this.#address;
  }

  /** Bytes arrived: bytes[0, length), which the next read will overwrite. */
  receive(bytes: Buffer, length: number): void {
    const front = this.#front;
    front.stats.bytesRead += length;
    this.#lastProgress = front.now;
    this.#phaseBytes += length;
    if (this.#state >= LINGERING) return;
    if (this.#state === HANDLING || this.#stalled) {
      this.#held.add(bytes, 0, length);
      if (this.#held.length > MAX_HELD_BYTES) this.#socket.pause();
      return;
    }
    if (this.#held.length === 0) {
      this.#run(bytes, 0, length);
      return;
    }
    this.#held.add(bytes, 0, length);
    if (this.#isWorthScanning(bytes, length)) this.#runHeld();
  }

  /**
   * Each scan of an incomplete head starts from its beginning. A short one is scanned at every read, a longer one only
   * when a line ended, so that a client that drips byte by byte costs no more than its packets do.
   */
  #isWorthScanning(bytes: Buffer, length: number): boolean {
    if (this.#held.length <= SHORT_HEAD_BYTES || this.#held.length >= this.#front.http.maxHeadBytes)
      return true;
    const read = bytes.subarray(0, length);
    return read.includes(LF) || read.includes(CR);
  }

  /** The client will send no more; it may still wait for answers. */
  clientEnded(): void {
    this.#clientEnded = true;
    if (this.#state === HANDLING || this.#stalled) return;
    if (this.#state === BODY_STATE) this.#abort();
    this.#close();
  }

  /** The socket is gone. */
  closed(): void {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    this.#front.connections.delete(this);
    this.#abort();
  }

  /** Everything unsent went out. */
  drained(): void {
    this.#startPhase();
    if (!this.#stalled) return;
    this.#stalled = false;
    if (this.#state === LINGERING) this.#socket.resume();
    else this.resume();
  }

  /** Called a few times a second. */
  checkTime(now: number): void {
    const timeout = this.#front.http.timeoutMs;
    if (this.#state !== BODY_STATE && this.#socket.writableLength > 0) {
      if (now - this.#unsentSince > timeout + this.#unsentBytes / MIN_BYTES_PER_MS) this.#giveUp();
    } else if (this.#state === HEAD_STATE) {
      if (now - this.#phaseStart <= timeout) return;
      this.#front.stats.timedOut++;
      if (this.#held.length === 0) this.#close();
      else this.#refuse('request-timeout');
    } else if (this.#state === BODY_STATE) {
      const allowed = timeout + this.#phaseBytes / MIN_BYTES_PER_MS;
      if (now - this.#lastProgress <= timeout && now - this.#phaseStart <= allowed) return;
      this.#front.stats.timedOut++;
      this.#refuse('request-timeout');
    } else if (this.#state === LINGERING) {
      if (now - this.#phaseStart > LINGER_MS) this.destroy();
    }
  }

  /** Whether a request is under way. */
  get busy(): boolean {
    return this.#state === BODY_STATE || this.#state === HANDLING || this.#held.length > 0 || this.#stalled;
  }

  /** No further request: at once when idle, else after the current answer. */
  drain(): void {
    this.exchange.keepAlive = false;
    if (!this.busy) this.#close();
  }

  destroy(): void {
    this.#socket.destroy();
    this.closed();
  }

  answered(exchange: Exchange): void {
    this.#accepted = false;
    if (this.#front.batching === this) return;
    // Answered later, maybe in the middle of another connection's batch: the answer goes out alone.
    const output = this.output;
    if (exchange.responseStart === 0) {
      this.#flush();
    } else {
      this.#write(Buffer.from(output.bytes.subarray(exchange.responseStart, output.length)));
      output.length = exchange.responseStart;
    }
    this.#afterAnswer();
    // Not right here: whoever answers has yet to finish with this request before the next one may begin.
    this.#front.resumeSoon(this);
  }

  /** Reads on after a pause: first what is held, then the socket. */
  resume(): void {
    if (this.#state !== HEAD_STATE || this.#stalled) return;
    if (this.#held.length > 0) this.#runHeld();
    if (this.#state >= HANDLING || this.#stalled) return;
    if (this.#clientEnded) this.#close();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  #runHeld(): void {
    const { length } = this.#held;
    this.#run(this.#held.take(), 0, length);
  }

  /** Takes requests from source[start, end) as long as they are complete and answered at once; holds the rest. */
  #run(source: Buffer, start: number, end: number): void {
    const front = this.#front;
    front.batching = this;
    let i = start;
    while (i < end && this.#state <= BODY_STATE && !this.#stalled) {
      i = this.#state === HEAD_STATE ? this.#readHead(source, i, end) : this.#readBody(source, i, end);
      if (this.output.length > BATCH_BYTES) this.#flush();
    }
    if (i < end && this.#state <= HANDLING) this.#held.add(source, i, end);
    this.#flush();
    front.batching = null;
  }

  /** Returns where the next part begins. */
  #readHead(source: Buffer, start: number, end: number): number {
    const front = this.#front;
    const { exchange } = this;
    const { head } = front;
    const result = scanHead(source, start, end, head, front.http);
    if (result === 0) {
      if (!this.#headBegun) this.#startPhase();
      this.#headBegun = true;
      this.#held.add(source, start, end);
      return end;
    }
    this.#headBegun = false;
    exchange.open(head, source, result > 0 && head.keepAlive && !front.draining);
    if (result < 0) return this.#reject(result, end);
    if (source[head.pathStart] !== ASTERISK) {
      const pathEnd = normalisePath(source, head.pathStart, head.pathEnd);
      if (pathEnd < 0) return this.#reject(pathEnd, end);
      head.pathEnd = pathEnd;
    }
    return this.#beginBody(source, result, end);
  }

  #beginBody(source: Buffer, start: number, end: number): number {
    const { exchange } = this;
    const { head } = exchange;
    const length = Math.max(head.contentLength, 0);
    const present = !head.chunked && length <= end - start;
    const keepAlive = exchange.keepAlive;
    if (!present) exchange.keepAlive = false; // for an answer before the body was read
    this.#accepted = true;
    const maxBody = this.#front.handler.onHead(exchange);
    if (exchange.answered) return this.#skipBody(present ? start + length : end);
    exchange.keepAlive = keepAlive;
    if (length > maxBody) return this.#reject(CONTENT_TOO_LARGE, end);
    if (present) {
      exchange.bodyStart = start;
      exchange.bodyEnd = start + length;
      return this.#dispatch(exchange.bodyEnd);
    }
    this.#maxBody = maxBody;
    return head.chunked ? this.#beginChunked(source, start, end) : this.#beginLength(source, start, end);
  }

  #skipBody(next: number): number {
    this.#afterAnswer();
    return next;
  }

  /** Content-Length, and not all of it here yet. */
  #beginLength(source: Buffer, start: number, end: number): number {
    this.#moveRequest(source, start, end, this.exchange.head.contentLength);
    this.#awaitBody(end === start);
    return end;
  }

  #beginChunked(source: Buffer, start: number, end: number): number {
    const { exchange } = this;
    this.#decoder ??= new ChunkedDecoder();
    const decoder = this.#decoder;
    decoder.start(this.#maxBody);
    const result = decoder.decode(source, start, end, source, start);
    if (result < 0) return this.#reject(result, end);
    exchange.bodyStart = start;
    exchange.bodyEnd = decoder.targetOffset;
    if (result > 0) return this.#dispatch(decoder.sourceOffset);
    this.#moveRequest(source, start, exchange.bodyEnd, exchange.bodyEnd - start);
    this.#awaitBody(end === start);
    return end;
  }

  #awaitBody(nothingYet: boolean): void {
    this.#state = BODY_STATE;
    this.#startPhase();
    if (this.exchange.head.expectContinue && nothingYet) this.output.put(goOn, 0, goOn.length);
  }

  /** Copies head and what there is of the body to a buffer of the request's own. */
  #moveRequest(source: Buffer, bodyStart: number, bodyEnd: number, expectedBody: number): void {
    const { exchange } = this;
    const { head } = exchange;
    const headLength = head.end - head.start;
    const present = bodyEnd - bodyStart;
    // What a client announces is not allocated before it arrives.
    const room = Math.min(expectedBody, Math.max(present * 2, 16_384));
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

  #readBody(source: Buffer, start: number, end: number): number {
    const { exchange } = this;
    const { head } = exchange;
    if (head.chunked) {
      const decoder = this.#decoder as ChunkedDecoder;
      this.#ensureBody(end - start);
      const result = decoder.decode(source, start, end, exchange.body, exchange.bodyEnd);
      if (result < 0) return this.#reject(result, end);
      exchange.bodyEnd = decoder.targetOffset;
      return result > 0 ? this.#dispatch(decoder.sourceOffset) : end;
    }
    const missing = head.contentLength - (exchange.bodyEnd - exchange.bodyStart);
    const taken = Math.min(missing, end - start);
    this.#ensureBody(taken);
    source.copy(exchange.body, exchange.bodyEnd, start, start + taken);
    exchange.bodyEnd += taken;
    return taken === missing ? this.#dispatch(start + taken) : end;
  }

  #ensureBody(count: number): void {
    const { exchange } = this;
    const needed = exchange.bodyEnd + count;
    if (needed <= exchange.body.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, exchange.body.length * 2));
    exchange.body.copy(larger, 0, 0, exchange.bodyEnd);
    exchange.bytes = larger;
    exchange.body = larger;
  }

  /** The request is complete. Returns where the next one begins. */
  #dispatch(next: number): number {
    const { exchange } = this;
    this.#state = HANDLING;
    this.#front.handler.onRequest(exchange);
    if (exchange.answered) this.#afterAnswer();
    else this.#keepRequest();
    return next;
  }

  /** The answer comes later; the read buffer will not wait. */
  #keepRequest(): void {
    const { exchange } = this;
    if (exchange.bytes === exchange.body && exchange.head === this.#ownHead) return;
    this.#moveRequest(
      exchange.body,
      exchange.bodyStart,
      exchange.bodyEnd,
      exchange.bodyEnd - exchange.bodyStart,
    );
  }

  #afterAnswer(): void {
    this.#accepted = false;
    if (this.exchange.keepAlive) {
      this.#state = HEAD_STATE;
      this.#startPhase();
    } else {
      this.#close();
    }
  }

  #reject(rejection: number, next: number): number {
    this.#refuse(rejectionProblem(rejection));
    return next;
  }

  /** Answers for the handler, and closes: what follows cannot be trusted. */
  #refuse(code: ProblemCode): void {
    const { exchange } = this;
    const accepted = this.#accepted;
    this.#front.countRejection(code, accepted);
    this.#accepted = false;
    if (!accepted) exchange.open(this.#front.head, nothing, false);
    exchange.keepAlive = false;
    const inBatch = this.#front.batching === this;
    this.#front.batching = this;
    exchange.problem(code);
    if (!inBatch) this.#front.batching = null; // only a timer refuses outside of a batch
    if (accepted) {
      exchange.aborted = true;
      this.#front.handler.onAborted(exchange);
    }
    this.#close();
  }

  #abort(): void {
    if (!this.#accepted) return;
    this.#accepted = false;
    this.exchange.aborted = true;
    this.#front.handler.onAborted(this.exchange);
  }

  /** Sends what there is, then FIN, and drops what still arrives for a while: a reset would take the answer away. */
  #close(): void {
    if (this.#state >= LINGERING) return;
    this.#state = LINGERING;
    this.#held.clear();
    this.#startPhase();
    if (this.#front.batching === this || this.#front.batching === null) this.#flush();
    this.#socket.end();
    if (this.#socket.isPaused()) this.#socket.resume();
  }

  #giveUp(): void {
    this.#front.stats.timedOut++;
    this.destroy();
  }

  #flush(): void {
    const output = this.output;
    if (output.length === 0) return;
    const written = this.#write(output.take());
    output.release(written);
  }

  /** Whether the kernel took all of it at once; else the bytes must be left alone. */
  #write(bytes: Buffer): boolean {
    this.#front.stats.bytesWritten += bytes.length;
    this.#socket.write(bytes);
    const unsent = this.#socket.writableLength;
    if (unsent === 0) return true;
    this.#unsentSince = this.#front.now;
    this.#unsentBytes = unsent;
    if (unsent > MAX_UNSENT_BYTES && !this.#stalled) {
      this.#stalled = true;
      this.#socket.pause();
    }
    return false;
  }

  #startPhase(): void {
    this.#phaseStart = this.#front.now;
    this.#lastProgress = this.#front.now;
    this.#phaseBytes = 0;
  }
}
