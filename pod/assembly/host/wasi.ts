import * as guest from "../guest";
import { argumentBytes, argumentStart, environment, environmentCount, environmentEnd, openEnvironment } from "../function/environment";
import { monotonic, realTime } from "../server/time";
import { find } from "../memory/bytes";
import { MAX_RANDOM_BYTES } from "./mayfly";
import { at, clear, put32, put64, writable } from "./memory";
import { fillRandom } from "./random";
import {
  STDERR,
  STDIN,
  STDOUT,
  inputEnd,
  inputStart,
  takeInput,
  writeError,
  writeOutput,
} from "./streams";

/**
 * WASI preview 1 for a guest that has arguments, an environment, three standard streams, clocks and randomness, and
 * nothing else: the same as in the gateway (src/runtime/wasi). What is not offered fails with a number (unsupported.ts).
 */
export const SUCCESS: i32 = 0;
export const BADF: i32 = 8;
export const FAULT: i32 = 21;
export const INVAL: i32 = 28;
export const NOTSUP: i32 = 58;

const CHARACTER_DEVICE: u8 = 2;
const RIGHT_READ: u64 = 2;
const RIGHT_WRITE: u64 = 64;
/** Vectors in one call, as many as POSIX systems take (IOV_MAX). */
const MAX_VECTORS: u32 = 1024;
/** Milliseconds are as fine as a guest gets. */
const RESOLUTION: u64 = 1_000_000;
const REALTIME: i32 = 0;

// @ts-ignore: decorator
@inline
export function isStandard(fd: i32): bool {
  return <u32>fd <= STDERR;
}

export function isClock(id: i32): bool {
  return <u32>id <= 1;
}

export function clockTime(id: i32): u64 {
  return <u64>(id == REALTIME ? realTime() : monotonic()) * RESOLUTION;
}

export function wasi_snapshot_preview1$args_sizes_get(count: i32, size: i32): i32 {
  const bytes = argumentBytes();
  return put32(count, bytes == 0 ? 0 : 1) && put32(size, bytes) ? SUCCESS : FAULT;
}

export function wasi_snapshot_preview1$args_get(table: i32, text: i32): i32 {
  const bytes = argumentBytes();
  return bytes == 0 || putText(table, text, argumentStart(), bytes) ? SUCCESS : FAULT;
}

export function wasi_snapshot_preview1$environ_sizes_get(count: i32, size: i32): i32 {
  openEnvironment();
  return put32(count, environmentCount) && put32(size, <u32>(environmentEnd - environment)) ? SUCCESS : FAULT;
}

export function wasi_snapshot_preview1$environ_get(table: i32, text: i32): i32 {
  openEnvironment();
  let entry: u32 = table;
  let to: u32 = text;
  for (let i = environment; i < environmentEnd;) {
    const next = find(i, environmentEnd, 0) + 1;
    if (!putText(entry, to, i, <u32>(next - i))) return FAULT;
    entry += 4;
    to += <u32>(next - i);
    i = next;
  }
  return SUCCESS;
}

/** One string with its NUL, and its address in the table. */
function putText(entry: u32, to: u32, from: usize, bytes: u32): bool {
  if (!put32(entry, to) || !writable(to, bytes)) return false;
  memory.copy(at(to), from, bytes);
  return true;
}

export function wasi_snapshot_preview1$clock_res_get(id: i32, out: i32): i32 {
  if (!isClock(id)) return INVAL;
  return put64(out, RESOLUTION) ? SUCCESS : FAULT;
}

export function wasi_snapshot_preview1$clock_time_get(id: i32, precision: i64, out: i32): i32 {
  if (!isClock(id)) return INVAL;
  return put64(out, clockTime(id)) ? SUCCESS : FAULT;
}

/** Closing a stream has no effect. */
export function wasi_snapshot_preview1$fd_close(fd: i32): i32 {
  return isStandard(fd) ? SUCCESS : BADF;
}

export function wasi_snapshot_preview1$fd_fdstat_get(fd: i32, out: i32): i32 {
  if (!isStandard(fd)) return BADF;
  if (!clear(out, 24)) return FAULT;
  store<u8>(at(out), CHARACTER_DEVICE);
  store<u64>(at(out), fd == STDIN ? RIGHT_READ : RIGHT_WRITE, 8);
  return SUCCESS;
}

export function wasi_snapshot_preview1$fd_fdstat_set_flags(fd: i32, flags: i32): i32 {
  return isStandard(fd) ? SUCCESS : BADF;
}

export function wasi_snapshot_preview1$fd_filestat_get(fd: i32, out: i32): i32 {
  if (!isStandard(fd)) return BADF;
  if (!clear(out, 64)) return FAULT;
  store<u8>(at(out), CHARACTER_DEVICE, 16);
  return SUCCESS;
}

export function wasi_snapshot_preview1$fd_read(fd: i32, vectors: i32, count: i32, out: i32): i32 {
  if (fd != STDIN) return BADF;
  if (<u32>count > MAX_VECTORS) return INVAL;
  let total: u32 = 0;
  for (let index = 0; index < count; index++) {
    const vector = <u32>vectors + (index << 3);
    if (!guest.has(vector, 8)) return FAULT;
    const start = load<u32>(at(vector));
    const length = load<u32>(at(vector), 4);
    const taken = min(length, <u32>(inputEnd - inputStart));
    if (!guest.has(start, length) || !writable(start, taken)) return FAULT;
    takeInput(at(start), taken);
    total += taken;
  }
  return put32(out, total) ? SUCCESS : FAULT;
}

export function wasi_snapshot_preview1$fd_write(fd: i32, vectors: i32, count: i32, out: i32): i32 {
  if (fd != STDOUT && fd != STDERR) return BADF;
  if (<u32>count > MAX_VECTORS) return INVAL;
  let total: u32 = 0;
  for (let index = 0; index < count; index++) {
    const vector = <u32>vectors + (index << 3); // read when its turn comes
    if (!guest.has(vector, 8)) return FAULT;
    const start = load<u32>(at(vector));
    const length = load<u32>(at(vector), 4);
    if (!guest.has(start, length)) return FAULT;
    if (fd == STDERR) writeError(at(start), length);
    else if (!writeOutput(at(start), length)) {
      guest.stop(guest.EXITED); // the answer can only be "too large" now
      return SUCCESS;
    }
    total += length;
  }
  return put32(out, total) ? SUCCESS : FAULT;
}

export function wasi_snapshot_preview1$proc_exit(status: i32): void {
  guest.stop(guest.EXITED);
}

export function wasi_snapshot_preview1$random_get(address: i32, length: i32): i32 {
  if (<u32>length > MAX_RANDOM_BYTES) return INVAL;
  if (!writable(address, length)) return FAULT;
  fillRandom(at(address), <u32>length);
  return SUCCESS;
}

export function wasi_snapshot_preview1$sched_yield(): i32 {
  return SUCCESS;
}
