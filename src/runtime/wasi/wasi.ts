import { randomFillSync } from 'node:crypto';
import { MAX_RANDOM_BYTES } from '../capabilities/mayfly.ts';
import { BADF, FAULT, INVAL, NOTSUP, SPIPE, SUCCESS } from './errno.ts';
import type { ErrorStream, InputStream, OutputStream } from './streams.ts';

/** The guest called `proc_exit`: it is done, wherever it was. */
export class ProcessExit extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`exit status ${status}`);
    this.status = status;
  }
}

/** A pointer outside the guest's memory; answered with EFAULT. */
class Fault extends Error {}

export interface WasiHost {
  memory(): Buffer;
  markWritten(pointer: number, length: number): void;
}

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const CHARACTER_DEVICE = 2;
const RIGHT_READ = 2n;
const RIGHT_WRITE = 64n;
const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
/** More vectors than any libc uses in one call. */
const MAX_VECTORS = 1024;

/** Calls that need what a function is not given: files, sockets, sleeping. They fail with a number, as the specification wants, instead of missing. */
const UNSUPPORTED: Readonly<Record<string, number>> = {
  fd_advise: SPIPE,
  fd_allocate: NOTSUP,
  fd_datasync: NOTSUP,
  fd_fdstat_set_rights: NOTSUP,
  fd_filestat_set_size: NOTSUP,
  fd_filestat_set_times: NOTSUP,
  fd_pread: SPIPE,
  fd_prestat_get: BADF,
  fd_prestat_dir_name: BADF,
  fd_pwrite: SPIPE,
  fd_readdir: BADF,
  fd_renumber: NOTSUP,
  fd_seek: SPIPE,
  fd_sync: NOTSUP,
  fd_tell: SPIPE,
  path_create_directory: BADF,
  path_filestat_get: BADF,
  path_filestat_set_times: BADF,
  path_link: BADF,
  path_open: BADF,
  path_readlink: BADF,
  path_remove_directory: BADF,
  path_rename: BADF,
  path_symlink: BADF,
  path_unlink_file: BADF,
  poll_oneoff: NOTSUP,
  proc_raise: NOTSUP,
  sock_accept: NOTSUP,
  sock_recv: NOTSUP,
  sock_send: NOTSUP,
  sock_shutdown: NOTSUP,
};

/**
 * WASI preview 1 for a guest that has arguments, an environment, three standard streams, clocks and randomness, and
 * nothing else. Source: wasi_snapshot_preview1.witx of the WebAssembly/WASI repository.
 */
export class Wasi {
  args: readonly Buffer[] = [];
  environment: readonly Buffer[] = [];
  readonly imports: WebAssembly.ModuleImports;
  readonly #host: WasiHost;
  readonly #stdin: InputStream;
  readonly #stdout: OutputStream | ErrorStream;
  readonly #stderr: ErrorStream;

  constructor(host: WasiHost, stdin: InputStream, stdout: OutputStream | ErrorStream, stderr: ErrorStream) {
    this.#host = host;
    this.#stdin = stdin;
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.imports = {
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
      fd_close: (fd: number) => (fd <= STDERR ? SUCCESS : BADF),
      fd_fdstat_get: guarded((fd: number, out: number) => this.#fdstat(fd, out)),
      fd_fdstat_set_flags: (fd: number) => (fd <= STDERR ? SUCCESS : BADF),
      fd_filestat_get: guarded((fd: number, out: number) => this.#filestat(fd, out)),
      fd_read: guarded((fd: number, vectors: number, count: number, out: number) =>
        this.#read(fd, vectors, count, out),
      ),
      fd_write: guarded((fd: number, vectors: number, count: number, out: number) =>
        this.#write(fd, vectors, count, out),
      ),
      proc_exit: (status: number) => {
        throw new ProcessExit(status);
      },
      random_get: guarded((pointer: number, length: number) => this.#random(pointer, length)),
      sched_yield: () => SUCCESS,
    };
    for (const [name, errno] of Object.entries(UNSUPPORTED)) this.imports[name] = () => errno;
  }

  /** The guest's memory, after checking that the range lies within it. */
  #range(pointer: number, length: number): Buffer {
    const memory = this.#host.memory();
    if ((pointer >>> 0) + (length >>> 0) > memory.length) throw new Fault();
    return memory;
  }

  #writeU32(pointer: number, value: number): void {
    this.#range(pointer, 4).writeUInt32LE(value >>> 0, pointer >>> 0);
    this.#host.markWritten(pointer >>> 0, 4);
  }

  #writeU64(pointer: number, value: bigint): void {
    this.#range(pointer, 8).writeBigUInt64LE(value, pointer >>> 0);
    this.#host.markWritten(pointer >>> 0, 8);
  }

  #writeSizes(strings: readonly Buffer[], count: number, size: number): number {
    this.#writeU32(count, strings.length);
    this.#writeU32(
      size,
      strings.reduce((sum, text) => sum + text.length + 1, 0),
    );
    return SUCCESS;
  }

  #writeStrings(strings: readonly Buffer[], table: number, text: number): number {
    let at = text >>> 0;
    strings.forEach((bytes, index) => {
      this.#writeU32((table >>> 0) + index * 4, at);
      const memory = this.#range(at, bytes.length + 1);
      bytes.copy(memory, at);
      memory[at + bytes.length] = 0;
      this.#host.markWritten(at, bytes.length + 1);
      at += bytes.length + 1;
    });
    return SUCCESS;
  }

  #clockResolution(id: number, out: number): number {
    if (id !== CLOCK_REALTIME && id !== CLOCK_MONOTONIC) return INVAL;
    this.#writeU64(out, 1_000_000n);
    return SUCCESS;
  }

  /** Milliseconds are as fine as a guest gets: a finer clock would help it to time its neighbours. */
  #clockTime(id: number, out: number): number {
    if (id !== CLOCK_REALTIME && id !== CLOCK_MONOTONIC) return INVAL;
    const ms = id === CLOCK_REALTIME ? Date.now() : Math.floor(performance.now());
    this.#writeU64(out, BigInt(ms) * 1_000_000n);
    return SUCCESS;
  }

  #fdstat(fd: number, out: number): number {
    if (fd > STDERR) return BADF;
    this.#zero(out, 24);
    const memory = this.#range(out, 24);
    memory[out >>> 0] = CHARACTER_DEVICE;
    memory.writeBigUInt64LE(fd === STDIN ? RIGHT_READ : RIGHT_WRITE, (out >>> 0) + 8);
    return SUCCESS;
  }

  #filestat(fd: number, out: number): number {
    if (fd > STDERR) return BADF;
    this.#zero(out, 64);
    this.#range(out, 64)[(out >>> 0) + 16] = CHARACTER_DEVICE;
    return SUCCESS;
  }

  #zero(pointer: number, length: number): void {
    this.#range(pointer, length).fill(0, pointer >>> 0, (pointer >>> 0) + length);
    this.#host.markWritten(pointer >>> 0, length);
  }

  #read(fd: number, vectors: number, count: number, out: number): number {
    if (fd !== STDIN) return BADF;
    let total = 0;
    this.#eachVector(vectors, count, (memory, start, length) => {
      const got = this.#stdin.read(memory, start, length);
      this.#host.markWritten(start, got);
      total += got;
      return got === length;
    });
    this.#writeU32(out, total);
    return SUCCESS;
  }

  #write(fd: number, vectors: number, count: number, out: number): number {
    if (fd !== STDOUT && fd !== STDERR) return BADF;
    const stream = fd === STDOUT ? this.#stdout : this.#stderr;
    let total = 0;
    this.#eachVector(vectors, count, (memory, start, length) => {
      stream.write(memory, start, start + length);
      total += length;
      return true;
    });
    this.#writeU32(out, total);
    return SUCCESS;
  }

  #eachVector(
    vectors: number,
    count: number,
    use: (memory: Buffer, start: number, length: number) => boolean,
  ): void {
    if (count >>> 0 > MAX_VECTORS) throw new Fault();
    for (let index = 0; index < count >>> 0; index++) {
      const at = (vectors >>> 0) + index * 8;
      const table = this.#range(at, 8);
      const start = table.readUInt32LE(at);
      const length = table.readUInt32LE(at + 4);
      if (!use(this.#range(start, length), start, length)) return;
    }
  }

  #random(pointer: number, length: number): number {
    if (length >>> 0 > MAX_RANDOM_BYTES) return INVAL;
    randomFillSync(this.#range(pointer, length), pointer >>> 0, length >>> 0);
    this.#host.markWritten(pointer >>> 0, length >>> 0);
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
