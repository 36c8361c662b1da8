import type { Socket } from 'node:net';
import { BodyReader, NO_ROOM } from './body-reader.ts';
import { type Carrier, Exchange } from './exchange.ts';
import type { Front } from './front.ts';
import { RequestHead } from './head.ts';
import { HeldBytes } from './held.ts';
import type { Output } from './output.ts';
import { isOverdue } from './overdue.ts';
import { BODY_PHASE, CLOSED, HANDLING, HEAD_PHASE, LINGERING } from './phase.ts';
import { Progress } from './progress.ts';
import { rejectionProblem } from './rejection.ts';
import { scanHead } from './scan.ts';
import { Sender } from './sender.ts';
import type { ProblemCode } from '../model/problems.ts';

/** A batch of answers is written when it is this long. */
const BATCH_BYTES = 65_536;
/** Pipelined requests handled in one go; then it is the other connections' turn. */
const REQUESTS_PER_TURN = 16;

const goOn = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n');
const nothing = Buffer.alloc(0);
const noHead = new RequestHead();
const comeBack = { headers: Buffer.from('retry-after: 1\r\n') };

/**
 * An HTTP/1 connection: bytes in, requests to the handler one after the other, answers out in the same order.
 *
 * Bytes arrive in a read buffer that all connections share. A request that is complete in there is handled in place.
 * What is not complete, or not answered at once, is copied: unparsed bytes to `#held`, a request to `exchange.bytes`.
 */
export class Connection<Context = unknown> implements Carrier {
  readonly exchange: Exchange<Context>;
  readonly output: Output;
  readonly #front: Front<Context>;
  readonly #socket: Socket;
  readonly #sender: Sender;
  readonly #body: BodyReader;
  readonly #progress: Progress;
  #phase = HEAD_PHASE;
  readonly #held = new HeldBytes();
  /** A part of a head has arrived: from then on its time runs. */
  #headBegun = false;
  /** The handler knows of the current request and has not answered it. */
  #accepted = false;
  #clientEnded = false;
  /** It has had its share of this turn of the event loop, and more is held. */
  #waitsForTurn = false;
  #address: string | null = null;

  constructor(socket: Socket, front: Front<Context>, secure: boolean) {
    this.#socket = socket;
    this.#front = front;
    this.output = front.output;
    this.#sender = new Sender(socket, front.stats);
    this.#progress = new Progress(front.now);
    this.exchange = new Exchange<Context>(this, secure, false);
    this.#body = new BodyReader(this.exchange as Exchange, front.bodies);
    front.connections.add(this);
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
    this.#progress.received(length, front.now);
    if (this.#phase >= LINGERING) return;
    if (this.#phase === HANDLING || this.#mayNotRun) {
      this.#held.add(bytes, 0, length);
      if (this.#held.isFull) this.#socket.pause();
      return;
    }
    if (this.#held.length === 0) return this.#run(bytes, length);
    this.#held.add(bytes, 0, length);
    if (this.#held.isWorthScanning(bytes, length, front.http.maxHeadBytes)) this.#runHeld();
  }

  /** The client will send no more; it may still wait for answers. */
  clientEnded(): void {
    this.#clientEnded = true;
    if (this.#phase === HANDLING || this.#mayNotRun) return;
    if (this.#phase === BODY_PHASE) this.#abort();
    this.#close();
  }

  /** The socket is gone. */
  closed(): void {
    if (this.#phase === CLOSED) return;
    this.#phase = CLOSED;
    this.#front.connections.delete(this);
    this.#abort();
    this.#body.release();
  }

  /** Everything unsent went out. */
  drained(): void {
    this.#progress.restart(this.#front.now);
    if (!this.#sender.stalled) return;
    this.#sender.stalled = false;
    if (this.#phase === LINGERING) this.#socket.resume();
    else this.resume();
  }

  /** Called a few times a second. */
  checkTime(now: number): void {
    if (!isOverdue(this.#phase, this.#progress, this.#sender, this.#front.http.timeoutMs, now)) return;
    if (this.#phase === LINGERING && !this.#sender.hasUnsent) this.destroy();
    else this.#timeOut();
  }

  #timeOut(): void {
    this.#front.stats.timedOut++;
    if (this.#phase === BODY_PHASE) this.#refuse('request-timeout');
    else if (this.#sender.hasUnsent) this.destroy();
    else if (this.#held.length > 0) this.#refuse('request-timeout');
    else this.#close();
  }

  /** Whether a request is under way. */
  get busy(): boolean {
    return (
      this.#phase === BODY_PHASE || this.#phase === HANDLING || this.#held.length > 0 || this.#sender.stalled
    );
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
    this.#sender.send(this.output, exchange.responseStart, this.#front.now);
    this.#afterAnswer();
    // Not right here: whoever answers has yet to finish with this request before the next one may begin.
    this.#front.resumeSoon(this);
  }

  /** Reads on after a pause: first what is held, then the socket. */
  resume(): void {
    if (!this.#accepted) this.#body.release();
    if (this.#phase !== HEAD_PHASE || this.#mayNotRun) return;
    if (this.#held.length > 0) this.#runHeld();
    if (this.#phase >= HANDLING || this.#mayNotRun) return;
    if (this.#clientEnded) this.#close();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  /** Others had their turn. */
  nextTurn(): void {
    this.#waitsForTurn = false;
    this.resume();
  }

  get #mayNotRun(): boolean {
    return this.#sender.stalled || this.#waitsForTurn;
  }

  #runHeld(): void {
    const { length } = this.#held;
    this.#run(this.#held.take(), length);
  }

  /** Takes requests from source[0, end) as long as they are complete, answered at once and not too many; holds the rest. */
  #run(source: Buffer, end: number): void {
    const front = this.#front;
    front.batching = this;
    let i = 0;
    let heads = 0;
    while (i < end && this.#phase <= BODY_PHASE && !this.#mayNotRun) {
      if (this.#phase === HEAD_PHASE) {
        if (heads++ === REQUESTS_PER_TURN) this.#waitForTurn();
        else i = this.#readHead(source, i, end);
      } else i = this.#continue(this.#body.read(source, i, end), end);
      if (this.output.length > BATCH_BYTES) this.#sender.send(this.output, 0, front.now);
    }
    if (i < end && this.#phase <= HANDLING) this.#held.add(source, i, end);
    this.#sender.send(this.output, 0, front.now);
    front.batching = null;
  }

  #waitForTurn(): void {
    this.#waitsForTurn = true;
    this.#front.resumeNextTurn(this);
  }

  /** Returns where the next part begins. */
  #readHead(source: Buffer, start: number, end: number): number {
    const front = this.#front;
    const { head } = front;
    const result = scanHead(source, start, end, head, front.http);
    if (result === 0) {
      if (!this.#headBegun) this.#progress.restart(front.now);
      this.#headBegun = true;
      this.#held.add(source, start, end);
      return end;
    }
    this.#headBegun = false;
    this.exchange.open(head, source, result > 0 && head.keepAlive && !front.draining);
    return result < 0 ? this.#reject(result, end) : this.#beginBody(source, result, end);
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
    if (exchange.answered) {
      this.#afterAnswer();
      return present ? start + length : end; // a body that was to come is dropped with the connection
    }
    exchange.keepAlive = keepAlive;
    const next = this.#body.begin(source, start, end, maxBody);
    if (next !== 0) return this.#continue(next, end);
    this.#phase = BODY_PHASE;
    this.#progress.restart(this.#front.now);
    if (head.expectContinue && start === end) this.output.put(goOn, 0, goOn.length);
    return end;
  }

  /** `next`: what the body reader said. */
  #continue(next: number, end: number): number {
    if (next === 0) return end;
    return next < 0 ? this.#reject(next, end) : this.#dispatch(next);
  }

  /** The request is complete. Returns where the next one begins. */
  #dispatch(next: number): number {
    const { exchange } = this;
    this.#phase = HANDLING;
    this.#front.handler.onRequest(exchange);
    if (exchange.answered) {
      this.#body.release();
      this.#afterAnswer();
    } else this.#body.keep(); // the read buffer will not wait for the answer
    return next;
  }

  #afterAnswer(): void {
    this.#accepted = false;
    if (this.exchange.keepAlive) {
      this.#phase = HEAD_PHASE;
      this.#progress.restart(this.#front.now);
    } else {
      this.#close();
    }
  }

  #reject(rejection: number, next: number): number {
    this.#refuse(rejection === NO_ROOM ? 'overloaded' : rejectionProblem(rejection));
    return next;
  }

  /** Answers for the handler, and closes: what follows cannot be trusted. */
  #refuse(code: ProblemCode): void {
    const { exchange } = this;
    const accepted = this.#accepted;
    this.#front.countRejection(code, accepted);
    this.#accepted = false;
    // Only a timer refuses outside of a batch: of a head that never was complete, while the shared one is somebody else's.
    const inBatch = this.#front.batching === this;
    if (!accepted) exchange.open(inBatch ? this.#front.head : noHead, nothing, false);
    exchange.keepAlive = false;
    this.#front.batching = this;
    exchange.problem(code, code === 'overloaded' ? comeBack : undefined);
    if (!inBatch) this.#front.batching = null;
    if (accepted) {
      exchange.aborted = true;
      this.#front.handler.onAborted(exchange);
    }
    this.#body.release();
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
    if (this.#phase >= LINGERING) return;
    this.#phase = LINGERING;
    this.#held.clear();
    this.#progress.restart(this.#front.now);
    if (this.#front.batching === this || this.#front.batching === null)
      this.#sender.send(this.output, 0, this.#front.now);
    this.#socket.end();
    if (this.#socket.isPaused()) this.#socket.resume();
  }
}
