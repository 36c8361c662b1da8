import type { Instance } from './instance.ts';
import type { RuntimeThread } from './runtime-thread.ts';
import type { WasiHost } from './wasi/guest-memory.ts';
import { ErrorStream, InputStream, OutputStream } from './wasi/streams.ts';
import { Wasi } from './wasi/wasi.ts';

/** What all wagi guests of a thread have in common: WASI and its streams. They act for the guest that runs, one at a time. */
export class WagiHost implements WasiHost {
  readonly thread: RuntimeThread;
  readonly stdin = new InputStream();
  readonly stdout = new OutputStream();
  readonly stderr = new ErrorStream();
  readonly wasi = new Wasi(this, this.stdin, this.stdout, this.stderr);
  readonly imports: WebAssembly.Imports = { wasi_snapshot_preview1: this.wasi.imports };
  instance: Instance | null = null;

  constructor(thread: RuntimeThread) {
    this.thread = thread;
  }

  memory(): Buffer {
    return (this.instance as Instance).bytes;
  }

  markWritten(pointer: number, length: number): void {
    (this.instance as Instance).markWritten(pointer, length);
  }
}
