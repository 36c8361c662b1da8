import { randomFillSync } from 'node:crypto';
import { MAX_RANDOM_BYTES } from '../capabilities/mayfly.ts';
import { CLOCK_RESOLUTION, clockTime, isClock } from './clock.ts';
import { BADF, FAULT, INVAL, SUCCESS } from './errno.ts';
import { Fault, GuestMemory, type WasiHost } from './guest-memory.ts';
import { poll } from './poll.ts';
import {
  type ErrorStream,
  type InputStream,
  isStandard,
  type OutputStream,
  STDERR,
  STDIN,
  STDOUT,
} from './streams.ts';
import { UNSUPPORTED } from './unsupported.ts';

/** The guest is done, wherever it was: it called `proc_exit`, or wrote more than may be sent. */
export class ProcessExit extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`exit status ${status}`);
    this.status = status;
  }
}

const CHARACTER_DEVICE = 2;
const RIGHT_READ = 2n;
const RIGHT_WRITE = 64n;
/** Vectors in one call, as many as POSIX systems take (IOV_MAX). */
const MAX_VECTORS = 1024;

/**
 * WASI preview 1 for a guest that has arguments, an environment, three standard streams, clocks and randomness, and
 * nothing else. Source: wasi_snapshot_preview1.witx of the WebAssembly/WASI repository. Closing a stream has no effect.
 */
export class Wasi {
  args: readonly Buffer[] = [];
  environment: readonly Buffer[] = [];
  readonly imports: WebAssembly.ModuleImports;
  readonly #memory: GuestMemory;
  readonly #stdin: InputStream;
  readonly #stdout: OutputStream | ErrorStream;
  readonly #stderr: ErrorStream;

  constructor(host: WasiHost, stdin: InputStream, stdout: OutputStream | ErrorStream, stderr: ErrorStream) {
    this.#memory = new GuestMemory(host);
    this.#stdin = stdin;
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.imports = {
      ...UNSUPPORTED,
      args_get: guarded((table: number, text: number) => this.#writeStrings(this.args, table, text)),
      args_sizes_get: guarded((count: number, size: number) => this.#writeSizes(this.args, count, size)),
      environ_get: guarded((table: number, text: number) =>
        this.#writeStrings(this.environment, table, text),
      ),
      environ_sizes_get: guarded((count: number, size: number) =>
        this.#writeSizes(this.environment, count, size),
      ),
      clock_res_get: guarded((id: number, out: number) => this.#clockResolution(id, out)),
      clock_time_get: guarded((id: number, _precision: bigint, out: number) => this.#clockTime(id, out)),
      fd_close: (fd: number) => (isStandard(fd) ? SUCCESS : BADF),
      fd_fdstat_get: guarded((fd: number, out: number) => this.#fdstat(fd, out)),
      fd_fdstat_set_flags: (fd: number) => (isStandard(fd) ? SUCCESS : BADF),
      fd_filestat_get: guarded((fd: number, out: number) => this.#filestat(fd, out)),
      fd_read: guarded((fd: number, vectors: number, count: number, out: number) =>
        this.#read(fd, vectors, count, out),
      ),
      fd_write: guarded((fd: number, vectors: number, count: number, out: number) =>
        this.#write(fd, vectors, count, out),
      ),
      poll_oneoff: guarded((subscriptions: number, events: number, count: number, out: number) =>
        poll(this.#memory, this.#stdin, subscriptions >>> 0, events >>> 0, count >>> 0, out >>> 0),
      ),
      proc_exit: (status: number) => {
        throw new ProcessExit(status >>> 0);
      },
      random_get: guarded((pointer: number, length: number) => this.#random(pointer >>> 0, length >>> 0)),
      sched_yield: () => SUCCESS,
    };
  }

  #writeSizes(strings: readonly Buffer[], count: number, size: number): number {
    this.#memory.writeU32(count >>> 0, strings.length);
    this.#memory.writeU32(
      size >>> 0,
      strings.reduce((sum, text) => sum + text.length + 1, 0),
    );
    return SUCCESS;
  }

  #writeStrings(strings: readonly Buffer[], table: number, text: number): number {
    let at = text >>> 0;
    strings.forEach((bytes, index) => {
      this.#memory.writeU32((table >>> 0) + index * 4, at);
      const memory = this.#memory.writable(at, bytes.length + 1);
      bytes.copy(memory, at);
      memory[at + bytes.length] = 0;
      at += bytes.length + 1;
    });
    return SUCCESS;
  }

  #clockResolution(id: number, out: number): number {
    if (!isClock(id)) return INVAL;
    this.#memory.writeU64(out >>> 0, CLOCK_RESOLUTION);
    return SUCCESS;
  }

  #clockTime(id: number, out: number): number {
    if (!isClock(id)) return INVAL;
    this.#memory.writeU64(out >>> 0, clockTime(id));
    return SUCCESS;
  }

  #fdstat(fd: number, out: number): number {
    if (!isStandard(fd)) return BADF;
    const at = out >>> 0;
    const memory = this.#memory.clear(at, 24);
    memory[at] = CHARACTER_DEVICE;
    memory.writeBigUInt64LE(fd === STDIN ? RIGHT_READ : RIGHT_WRITE, at + 8);
    return SUCCESS;
  }

  #filestat(fd: number, out: number): number {
    if (!isStandard(fd)) return BADF;
    const at = out >>> 0;
    this.#memory.clear(at, 64)[at + 16] = CHARACTER_DEVICE;
    return SUCCESS;
  }

  #read(fd: number, vectors: number, count: number, out: number): number {
    if (fd !== STDIN) return BADF;
    if (count >>> 0 > MAX_VECTORS) return INVAL;
    let total = 0;
    for (let index = 0; index < count; index++) {
      const [start, length] = this.#vector(vectors, index);
      const wanted = Math.min(length, this.#stdin.remaining);
      this.#memory.readable(start, length);
      total += this.#stdin.read(this.#memory.writable(start, wanted), start, wanted);
    }
    this.#memory.writeU32(out >>> 0, total);
    return SUCCESS;
  }

  #write(fd: number, vectors: number, count: number, out: number): number {
    if (fd !== STDOUT && fd !== STDERR) return BADF;
    if (count >>> 0 > MAX_VECTORS) return INVAL;
    const stream = fd === STDOUT ? this.#stdout : this.#stderr;
    let total = 0;
    for (let index = 0; index < count; index++) {
      const [start, length] = this.#vector(vectors, index);
      const memory = this.#memory.readable(start, length);
      // The answer can only be "too large" now: whatever else the program does is in vain.
      if (!stream.write(memory, start, start + length)) throw new ProcessExit(1);
      total += length;
    }
    this.#memory.writeU32(out >>> 0, total >>> 0);
    return SUCCESS;
  }

  /** Start and length of a vector; read when its turn comes, as the one before may have overwritten it. */
  #vector(vectors: number, index: number): readonly [number, number] {
    const at = (vectors >>> 0) + index * 8;
    const table = this.#memory.readable(at, 8);
    return [table.readUInt32LE(at), table.readUInt32LE(at + 4)];
  }

  #random(pointer: number, length: number): number {
    if (length > MAX_RANDOM_BYTES) return INVAL;
    randomFillSync(this.#memory.writable(pointer, length), pointer, length);
    return SUCCESS;
  }
}

/** Turns a bad pointer into EFAULT; anything else is the host's own error and goes up. */
function guarded<A extends unknown[]>(call: (...args: A) => number): (...args: A) => number {
  return (...args) => {
    try {
      return call(...args);
    } catch (error) {
      if (error instanceof Fault) return FAULT;
      throw error;
    }
  };
}
