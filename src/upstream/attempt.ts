/** One request on one connection: what came of it, and whether it may have reached the upstream. */
import type { Dispatcher } from 'undici';
import type { UpstreamAnswer, UpstreamFailure, UpstreamRequest } from './request.ts';
import { contentLength, headerLines } from './response-headers.ts';

export interface AttemptSink {
  answered(answer: UpstreamAnswer): void;
  /** `sent`: the upstream may have seen it. */
  failed(failure: Extract<UpstreamFailure, 'broken' | 'malformed' | 'too-large'>, sent: boolean): void;
}

/** Ends of a connection, as undici and Node say them. Any other error is about what was received. */
const BROKEN = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED']);

export class Attempt implements Dispatcher.DispatchHandler {
  readonly #request: UpstreamRequest;
  readonly #sink: AttemptSink;
  #controller: Dispatcher.DispatchController | null = null;
  #status = 0;
  #headers: Buffer | null = null;
  #declared: number | null = null;
  #chunks: Buffer[] = [];
  #length = 0;
  /** Nobody listens any more: it was answered, it failed, or it was given up. */
  #over = false;

  constructor(dispatcher: Dispatcher, request: UpstreamRequest, sink: AttemptSink) {
    this.#request = request;
    this.#sink = sink;
    const { method, target, headers, body } = request;
    dispatcher.dispatch(
      { method: method as Dispatcher.HttpMethod, path: target, headers: [...headers], body },
      this,
    );
  }

  /** Gives up: the connection is closed, unless nothing was sent on it. */
  abandon(): void {
    this.#over = true;
    this.#controller?.abort(new Error('Nobody waits for the answer'));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error('Nobody waits for the answer'));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) return;
    const raw = (controller as { readonly rawHeaders?: readonly (Buffer | string)[] }).rawHeaders ?? [];
    this.#status = status;
    this.#headers = headerLines(raw);
    this.#declared = contentLength(raw);
    if (status > 599 || this.#headers === null) return this.#refuse('malformed');
    if ((this.#declared ?? 0) > this.#request.maxResponseBytes) return this.#refuse('too-large');
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#length += chunk.length;
    if (this.#length > this.#request.maxResponseBytes) return this.#refuse('too-large');
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (this.#over) return;
    this.#over = true;
    const only = this.#chunks.length === 1 ? this.#chunks[0] : undefined;
    const body =
      this.#status === RESET_CONTENT ? NOTHING : (only ?? Buffer.concat(this.#chunks, this.#length));
    const length = this.#request.method === 'HEAD' ? (this.#declared ?? 0) : body.length;
    this.#sink.answered({ status: this.#status, headers: this.#headers ?? NOTHING, body, length });
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.#over) return;
    this.#over = true;
    const { code = '' } = error as NodeJS.ErrnoException;
    const sent = this.#controller !== null;
    this.#sink.failed(!sent || BROKEN.has(code) ? 'broken' : 'malformed', sent);
  }

  #refuse(failure: 'malformed' | 'too-large'): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller?.abort(new Error('The response cannot be passed on'));
    this.#sink.failed(failure, true);
  }
}

const RESET_CONTENT = 205;
const NOTHING = Buffer.alloc(0);
