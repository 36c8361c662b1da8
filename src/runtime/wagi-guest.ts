import type { RevisionSpec } from '../model/function.ts';
import type { Guest, GuestResponse, LoggedLine, Outcome, RequestSource } from './guest.ts';
import { Instance } from './instance.ts';
import { classifyFailure } from './outcome.ts';
import type { PreparedInfo } from './prepare/prepare.ts';
import type { WagiHost } from './wagi-host.ts';
import { cgiRequest } from './wasi/cgi-request.ts';
import { cgiResponse, MAX_HEAD_BYTES } from './wasi/cgi-response.ts';
import { ProcessExit } from './wasi/wasi.ts';

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
  readonly #host: WagiHost;
  readonly #revision: RevisionSpec;
  readonly #instance: Instance;
  readonly #arguments: readonly Buffer[];
  readonly #start: () => void;
  #frame: Buffer = EMPTY;

  constructor(host: WagiHost, revision: RevisionSpec, initialBudgetMs?: number) {
    this.#host = host;
    this.#revision = revision;
    this.#arguments = [Buffer.from(revision.function)];
    const info = revision.prepared as PreparedInfo;
    this.#instance = Instance.create(host.thread, revision.module, info, host.imports, {
      initialBudgetMs,
      created: (instance) => this.#enter(instance),
      initialize: () => undefined,
    });
    this.#start = this.#instance.exports['_start'] as () => void;
  }

  get logs(): readonly LoggedLine[] | null {
    return this.#host.stderr.lines;
  }

  get restoredPages(): number {
    return this.#instance.restoredPages;
  }

  get imageBytes(): number {
    return this.#instance.imageBytes;
  }

  run(request: RequestSource, budgetMs: number): Outcome {
    const { limits, env } = this.#revision;
    const length = request.frameLength();
    if (this.#frame.length < length) this.#frame = Buffer.allocUnsafeSlow(length * 2);
    request.writeFrame(this.#frame, 0);
    const { environment, bodyStart, bodyEnd } = cgiRequest(this.#frame, env);
    this.#enter(this.#instance);
    const { wasi, stdin, stdout, stderr } = this.#host;
    wasi.environment = environment;
    stdin.open(this.#frame, bodyStart, bodyEnd);
    stdout.open(limits.maxResponseBodyBytes + MAX_HEAD_BYTES);
    try {
      this.#instance.arm(budgetMs);
      this.#start();
    } catch (error) {
      if (!(error instanceof ProcessExit)) return classifyFailure(error, this.#instance, limits.memoryBytes);
    } finally {
      stderr.close();
    }
    // CGI has no way to say "failed" but its output, so the exit status does not matter when there is some.
    return this.#readOutput(limits.maxResponseBodyBytes);
  }

  restore(): boolean {
    this.#host.stdin.open(EMPTY, 0, 0);
    this.#host.stdout.release();
    this.response.body = EMPTY;
    if (this.#frame.length > KEPT_FRAME_BYTES) this.#frame = EMPTY;
    return this.#instance.restore();
  }

  dispose(): void {
    this.#instance.dispose();
  }

  /** From now on the imports act for this guest, and find nothing of the one before. */
  #enter(instance: Instance): void {
    const { wasi, stdin, stdout, stderr } = this.#host;
    this.#host.instance = instance;
    wasi.args = this.#arguments;
    wasi.environment = [];
    stdin.open(EMPTY, 0, 0);
    stdout.open(0);
    stderr.open();
  }

  #readOutput(maxBodyBytes: number): Outcome {
    const { bytes, length, overflowed } = this.#host.stdout;
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
