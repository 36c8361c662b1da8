import type { RevisionSpec } from '../model/function.ts';
import { DEFAULT_HEADER_LIMITS, ResponseReader } from './abi/response-frame.ts';
import { Capabilities, type CapabilityHost } from './capabilities/mayfly.ts';
import type { GuestResponse, LoggedLine } from './guest.ts';
import type { Instance } from './instance.ts';
import type { RuntimeThread } from './runtime-thread.ts';
import { ErrorStream, InputStream } from './wasi/streams.ts';
import { Wasi } from './wasi/wasi.ts';

const NONE = Buffer.alloc(0);

/**
 * What all handler guests of a thread have in common: the functions they import, and what is read of their answers. One
 * guest runs at a time, and it is the one that `enter` was told of; an instance of its own for every guest would cost
 * more than half of what a guest costs.
 */
export class HandlerHost implements CapabilityHost {
  readonly thread: RuntimeThread;
  readonly imports: WebAssembly.Imports;
  readonly response: GuestResponse = { status: 200, headers: NONE, body: NONE, bodyStart: 0, bodyEnd: 0 };
  readonly #capabilities: Capabilities;
  readonly #stderr = new ErrorStream();
  readonly #readers = new WeakMap<RevisionSpec, ResponseReader>();
  #instance: Instance | null = null;
  #revision: RevisionSpec | null = null;

  constructor(thread: RuntimeThread) {
    this.thread = thread;
    this.#capabilities = new Capabilities(this);
    // A language's runtime may want WASI for its own purposes; what it prints goes to the log.
    const wasi = new Wasi(this, new InputStream(), this.#stderr, this.#stderr);
    this.imports = { ...this.#capabilities.imports, wasi_snapshot_preview1: wasi.imports };
  }

  /** From now on the imports act for `instance`. Forgets what the last guest logged. */
  enter(instance: Instance, revision: RevisionSpec): void {
    this.#instance = instance;
    this.#revision = revision;
    this.#capabilities.reset();
    this.#stderr.open();
  }

  /** Whatever is printed is a line now, finished or not. */
  leave(): void {
    this.#stderr.close();
  }

  /** Of the guest that ran last. */
  get logs(): readonly LoggedLine[] | null {
    const { logs } = this.#capabilities;
    const { lines } = this.#stderr;
    return lines === null ? logs : [...(logs ?? []), ...lines];
  }

  /** Something that the host noticed about this run, for the function's log. */
  report(message: string): void {
    this.#capabilities.report(message);
  }

  /** Reads the answers of a revision: it remembers the headers of the last one. */
  readerOf(revision: RevisionSpec): ResponseReader {
    let reader = this.#readers.get(revision);
    if (reader === undefined) {
      const { maxResponseBodyBytes } = revision.limits;
      reader = new ResponseReader({ ...DEFAULT_HEADER_LIMITS, maxBodyBytes: maxResponseBodyBytes });
      this.#readers.set(revision, reader);
    }
    return reader;
  }

  memory(): Buffer {
    return (this.#instance as Instance).bytes;
  }

  markWritten(pointer: number, length: number): void {
    (this.#instance as Instance).markWritten(pointer, length);
  }

  get env(): Readonly<Record<string, string>> {
    return (this.#revision as RevisionSpec).env;
  }
}
