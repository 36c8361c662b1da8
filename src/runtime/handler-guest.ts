import type { RevisionSpec } from '../model/function.ts';
import { DEFAULT_HEADER_LIMITS, ResponseReader } from './abi/response-frame.ts';
import { Capabilities } from './capabilities/mayfly.ts';
import type { Guest, GuestResponse, LoggedLine, Outcome, RequestSource } from './guest.ts';
import { Instance } from './instance.ts';
import { classifyFailure } from './outcome.ts';
import type { PreparedInfo } from './prepare/prepare.ts';
import type { RuntimeThread } from './runtime-thread.ts';
import { InputStream, ErrorStream } from './wasi/streams.ts';
import { Wasi } from './wasi/wasi.ts';

const NONE = Buffer.alloc(0);

/** A guest of the handler kind: one call with a request frame, one response frame back (docs/reference/guest-abi.md). */
export class HandlerGuest implements Guest {
  readonly response: GuestResponse = { status: 200, headers: NONE, body: NONE, bodyStart: 0, bodyEnd: 0 };
  readonly #revision: RevisionSpec;
  #instance!: Instance;
  readonly #capabilities: Capabilities;
  readonly #stderr = new ErrorStream();
  readonly #reader: ResponseReader;
  readonly #alloc: (length: number) => number;
  readonly #handle: (pointer: number, length: number) => bigint;

  constructor(thread: RuntimeThread, revision: RevisionSpec) {
    this.#revision = revision;
    const host = {
      memory: () => this.#instance.bytes,
      markWritten: (pointer: number, length: number) => this.#instance.markWritten(pointer, length),
      env: revision.env,
    };
    this.#capabilities = new Capabilities(host);
    // A language's runtime may want WASI for its own purposes; what it prints goes to the log.
    const wasi = new Wasi(host, new InputStream(), this.#stderr, this.#stderr);
    const imports = { ...this.#capabilities.imports, wasi_snapshot_preview1: wasi.imports };
    Instance.create(thread, revision.module, revision.prepared as PreparedInfo, imports, {
      created: (instance) => (this.#instance = instance),
    });
    const { maxResponseBodyBytes } = revision.limits;
    this.#reader = new ResponseReader({ ...DEFAULT_HEADER_LIMITS, maxBodyBytes: maxResponseBodyBytes });
    const { exports } = this.#instance;
    this.#alloc = exports['alloc'] as (length: number) => number;
    this.#handle = exports['handle'] as (pointer: number, length: number) => bigint;
  }

  get logs(): readonly LoggedLine[] | null {
    const { logs } = this.#capabilities;
    const { lines } = this.#stderr;
    return lines === null ? logs : [...(logs ?? []), ...lines];
  }

  get restoredPages(): number {
    return this.#instance.restoredPages;
  }

  run(request: RequestSource, budgetMs: number): Outcome {
    const instance = this.#instance;
    this.#capabilities.reset();
    this.#stderr.open();
    try {
      instance.arm(budgetMs);
      const length = request.frameLength();
      const pointer = this.#alloc(length) >>> 0;
      const bytes = instance.bytes;
      if (pointer === 0 || pointer + length > bytes.length) return 'out-of-memory';
      request.writeFrame(bytes, pointer);
      instance.markWritten(pointer, length);
      const packed = this.#handle(pointer, length);
      this.#stderr.close();
      return this.#readResponse(Number((packed >> 32n) & 0xffff_ffffn), Number(packed & 0xffff_ffffn));
    } catch (error) {
      this.#stderr.close();
      return classifyFailure(error, instance, this.#revision.limits.memoryBytes);
    }
  }

  #readResponse(pointer: number, length: number): Outcome {
    const { bytes } = this.#instance;
    const reader = this.#reader;
    const refusal = reader.read(bytes, pointer, length);
    if (refusal !== null) {
      this.#capabilities.report(`The answer is not a response frame: ${refusal}`);
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
