import type { RevisionSpec } from '../model/function.ts';
import type { ResponseReader } from './abi/response-frame.ts';
import type { Guest, GuestResponse, LoggedLine, Outcome, RequestSource } from './guest.ts';
import type { HandlerHost } from './handler-host.ts';
import { Instance } from './instance.ts';
import { classifyFailure } from './outcome.ts';
import type { PreparedInfo } from './prepare/prepare.ts';

/** A guest of the handler kind: one call with a request frame, one response frame back (docs/reference/guest-abi.md). */
export class HandlerGuest implements Guest {
  readonly response: GuestResponse;
  readonly #host: HandlerHost;
  readonly #revision: RevisionSpec;
  readonly #instance: Instance;
  readonly #reader: ResponseReader;
  readonly #alloc: (length: number) => number;

  constructor(host: HandlerHost, revision: RevisionSpec, initialBudgetMs?: number) {
    this.#host = host;
    this.#revision = revision;
    this.response = host.response;
    this.#reader = host.readerOf(revision);
    const info = revision.prepared as PreparedInfo;
    this.#instance = Instance.create(host.thread, revision.module, info, host.imports, {
      initialBudgetMs,
      created: (instance) => host.enter(instance, revision),
    });
    this.#alloc = this.#instance.exports['alloc'] as (length: number) => number;
  }

  get logs(): readonly LoggedLine[] | null {
    return this.#host.logs;
  }

  get restoredPages(): number {
    return this.#instance.restoredPages;
  }

  get imageBytes(): number {
    return this.#instance.imageBytes;
  }

  run(request: RequestSource, budgetMs: number): Outcome {
    const instance = this.#instance;
    this.#host.enter(instance, this.#revision);
    try {
      instance.arm(budgetMs);
      const length = request.frameLength();
      const pointer = this.#alloc(length) >>> 0;
      const bytes = instance.bytes;
      if (pointer === 0 || pointer + length > bytes.length) return 'out-of-memory';
      request.writeFrame(bytes, pointer);
      instance.markWritten(pointer, length);
      instance.handle(pointer, length);
      this.#host.leave();
      return this.#readResponse(instance.resultAddress, instance.resultLength);
    } catch (error) {
      this.#host.leave();
      return classifyFailure(error, instance, this.#revision.limits.memoryBytes);
    }
  }

  #readResponse(pointer: number, length: number): Outcome {
    const { bytes } = this.#instance;
    const reader = this.#reader;
    const refusal = reader.read(bytes, pointer, length);
    if (refusal !== null) {
      this.#host.report(`The answer is not a response frame: ${refusal}`);
      return refusal === 'too-large' ? 'response-too-large' : 'invalid-response';
    }
    const { response } = this;
    response.status = reader.status;
    response.headers = reader.headers;
    response.body = bytes;
    response.bodyStart = reader.bodyStart;
    response.bodyEnd = reader.bodyEnd;
    return 'answered';
  }

  restore(): boolean {
    return this.#instance.restore();
  }

  dispose(): void {
    this.#instance.dispose();
  }
}
