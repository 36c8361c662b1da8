import type { RevisionSpec } from '../model/function.ts';
import type { Guest, GuestResponse, LoggedLine, Outcome, RequestSource } from './guest.ts';
import { Instance } from './instance.ts';
import { classifyFailure } from './outcome.ts';
import type { PreparedInfo } from './prepare/prepare.ts';
import type { RuntimeThread } from './runtime-thread.ts';
import { cgiRequest } from './wasi/cgi-request.ts';
import { cgiResponse, MAX_HEAD_BYTES } from './wasi/cgi-response.ts';
import { ErrorStream, InputStream, OutputStream } from './wasi/streams.ts';
import { ProcessExit, Wasi } from './wasi/wasi.ts';

const EMPTY = Buffer.alloc(0);
/** There may be thousands of instances: what a large request took is given back after it. */
const KEPT_FRAME_BYTES = 65_536;

/**
 * A guest of the wagi kind: any WASI preview 1 command that speaks CGI/1.1 (RFC 3875) on its standard streams. The
 * snapshot is taken before `_start`, so that every request starts the program anew.
 */
export class WagiGuest implements Guest {
  readonly response: GuestResponse = {
    status: 200,
    headers: EMPTY,
    body: EMPTY,
    bodyStart: 0,
    bodyEnd: 0,
  };
  readonly #revision: RevisionSpec;
  #instance!: Instance;
  readonly #stdin = new InputStream();
  readonly #stdout = new OutputStream();
  readonly #stderr = new ErrorStream();
  readonly #wasi: Wasi;
  readonly #start: () => void;
  #frame: Buffer = EMPTY;

  constructor(thread: RuntimeThread, revision: RevisionSpec) {
    this.#revision = revision;
    const host = {
      memory: () => this.#instance.bytes,
      markWritten: (pointer: number, length: number) => this.#instance.markWritten(pointer, length),
    };
    this.#wasi = new Wasi(host, this.#stdin, this.#stdout, this.#stderr);
    this.#wasi.args = [Buffer.from(revision.function)];
    const imports = { wasi_snapshot_preview1: this.#wasi.imports };
    Instance.create(thread, revision.module, revision.prepared as PreparedInfo, imports, {
      created: (instance) => (this.#instance = instance),
      initialize: () => undefined,
    });
    this.#start = this.#instance.exports['_start'] as () => void;
  }

  get logs(): readonly LoggedLine[] | null {
    return this.#stderr.lines;
  }

  get restoredPages(): number {
    return this.#instance.restoredPages;
  }

  run(request: RequestSource, budgetMs: number): Outcome {
    const { limits, env } = this.#revision;
    const length = request.frameLength();
    if (this.#frame.length < length) this.#frame = Buffer.allocUnsafeSlow(length * 2);
    request.writeFrame(this.#frame, 0);
    const { environment, bodyStart, bodyEnd } = cgiRequest(this.#frame, env);
    this.#wasi.environment = environment;
    this.#stdin.open(this.#frame, bodyStart, bodyEnd);
    this.#stdout.open(limits.maxResponseBodyBytes + MAX_HEAD_BYTES);
    this.#stderr.open();
    try {
      this.#instance.arm(budgetMs);
      this.#start();
    } catch (error) {
      if (!(error instanceof ProcessExit)) return classifyFailure(error, this.#instance, limits.memoryBytes);
    } finally {
      this.#stderr.close();
    }
    // CGI has no way to say "failed" but its output, so the exit status does not matter when there is some.
    return this.#readOutput(limits.maxResponseBodyBytes);
  }

  restore(): boolean {
    this.#stdin.open(EMPTY, 0, 0);
    this.#stdout.release();
    this.response.body = EMPTY;
    if (this.#frame.length > KEPT_FRAME_BYTES) this.#frame = EMPTY;
    return this.#instance.restore();
  }

  dispose(): void {
    this.#instance.dispose();
  }

  #readOutput(maxBodyBytes: number): Outcome {
    const { bytes, length, overflowed } = this.#stdout;
    if (overflowed) return 'response-too-large';
    const parsed = cgiResponse(bytes, length);
    if (parsed === null) return 'invalid-response';
    if (length - parsed.bodyStart > maxBodyBytes) return 'response-too-large';
    const { response } = this;
    response.status = parsed.status;
    response.headers = parsed.headers;
    response.body = bytes;
    response.bodyStart = parsed.bodyStart;
    response.bodyEnd = length;
    return 'answered';
  }
}
