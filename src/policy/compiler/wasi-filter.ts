/**
 * Runs a WASI preview 1 command as a pure filter: bytes in, bytes out. There is no file, no socket, no environment
 * and no argument to give away: whatever else the program asks for is answered with an error number.
 * (node:wasi would need files for the pipes, and says itself that it is no sandbox.)
 */
export interface FilterResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

const SUCCESS = 0;
const EBADF = 8;
const EINVAL = 28;
const ENOSYS = 52;
const CHARACTER_DEVICE = 2;
const NANOSECONDS = 1_000_000n;

class Exit extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

export function runFilter(module: WebAssembly.Module, stdin: Uint8Array): FilterResult {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  let memory: WebAssembly.Memory;
  let position = 0;

  const view = () => new DataView(memory.buffer);
  const bytes = (at: number, length: number) => new Uint8Array(memory.buffer, at >>> 0, length >>> 0);
  const slices = function* (list: number, count: number) {
    for (let i = 0; i < count; i++) {
      const entry = (list >>> 0) + i * 8;
      yield bytes(view().getUint32(entry, true), view().getUint32(entry + 4, true));
    }
  };
  const put32 = (at: number, value: number) => view().setUint32(at >>> 0, value, true);
  const put64 = (at: number, value: bigint) => view().setBigUint64(at >>> 0, value, true);

  const host: Record<string, (...values: never[]) => number> = {
    args_sizes_get: (count: number, size: number) => (put32(count, 0), put32(size, 0), SUCCESS),
    args_get: () => SUCCESS,
    environ_sizes_get: (count: number, size: number) => (put32(count, 0), put32(size, 0), SUCCESS),
    environ_get: () => SUCCESS,
    sched_yield: () => SUCCESS,
    clock_time_get(id: number, _precision: bigint, out: number) {
      if (id > 1) return EINVAL;
      const now = id === 0 ? Date.now() : performance.now();
      put64(out, BigInt(Math.floor(now * 1000)) * (NANOSECONDS / 1000n));
      return SUCCESS;
    },
    random_get(at: number, length: number) {
      crypto.getRandomValues(bytes(at, length));
      return SUCCESS;
    },
    /** Only sleeps arrive here; each is over at once, which a filter may not notice. */
    poll_oneoff(subscriptions: number, events: number, count: number, out: number) {
      for (let i = 0; i < count; i++) {
        const event = (events >>> 0) + i * 32;
        bytes(event, 32).fill(0);
        put64(event, view().getBigUint64((subscriptions >>> 0) + i * 48, true));
      }
      put32(out, count);
      return SUCCESS;
    },
    fd_fdstat_get(fd: number, out: number) {
      if (fd > 2) return EBADF;
      bytes(out, 24).fill(0);
      view().setUint8(out >>> 0, CHARACTER_DEVICE);
      return SUCCESS;
    },
    fd_fdstat_set_flags: (fd: number) => (fd > 2 ? EBADF : SUCCESS),
    fd_prestat_get: () => EBADF,
    fd_prestat_dir_name: () => EBADF,
    fd_close: () => SUCCESS,
    fd_read(fd: number, list: number, count: number, out: number) {
      if (fd !== 0) return EBADF;
      let read = 0;
      for (const target of slices(list, count)) {
        const chunk = stdin.subarray(position, position + target.length);
        target.set(chunk);
        position += chunk.length;
        read += chunk.length;
      }
      put32(out, read);
      return SUCCESS;
    },
    fd_write(fd: number, list: number, count: number, out: number) {
      if (fd !== 1 && fd !== 2) return EBADF;
      let written = 0;
      for (const source of slices(list, count)) {
        (fd === 1 ? stdout : stderr).push(Buffer.from(source));
        written += source.length;
      }
      put32(out, written);
      return SUCCESS;
    },
    proc_exit(code: number): never {
      throw new Exit(code);
    },
  };
  const imports: Record<string, WebAssembly.ImportValue> = {};
  for (const { name } of WebAssembly.Module.imports(module)) imports[name] = host[name] ?? (() => ENOSYS);

  const { exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: imports });
  memory = exports['memory'] as WebAssembly.Memory;
  let exitCode = 0;
  try {
    (exports['_start'] as () => void)();
  } catch (stop) {
    if (!(stop instanceof Exit)) throw stop;
    exitCode = stop.code;
  }
  return { exitCode, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
}
