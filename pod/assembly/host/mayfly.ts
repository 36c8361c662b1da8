import * as guest from "../guest";
import { ERROR } from "../log";
import { reserve } from "../memory/arena";
import { put, putNumber } from "../memory/bytes";
import { variable } from "../settings";
import { realTime } from "../server/time";
import { MAX_MESSAGE_BYTES } from "../text";
import { at, writable } from "./memory";
import { fillRandom, randomNumber } from "./random";
import { logOfRun } from "./run-log";

/**
 * The `mayfly` module of the guest ABI and AssemblyScript's two `env` imports (docs/reference/guest-abi.md). A pointer
 * outside the guest's memory is a trap, as it would be for the guest's own load. The linker finds a function by
 * `module$name`.
 */
const MAX_CONFIG_NAME_BYTES: u32 = 256;
export const MAX_RANDOM_BYTES: u32 = 65_536;

let scratch: usize = 0;

export function openCapabilities(): void {
  scratch = reserve(2 * 3 * MAX_MESSAGE_BYTES + 64);
}

function trap(): void {
  guest.stop(guest.TRAPPED);
}

export function mayfly$log(level: i32, address: i32, length: i32): void {
  if (!guest.has(address, length)) return trap();
  logOfRun(<i32>min(<u32>level, 3), at(address), <u32>length);
}

export function mayfly$config(name: i32, nameLength: i32, out: i32, capacity: i32): i32 {
  if (!guest.has(name, nameLength)) {
    trap();
    return 0;
  }
  if (<u32>nameLength > MAX_CONFIG_NAME_BYTES) return -1;
  const found = variable(at(name), at(name) + <u32>nameLength);
  if (found == null) return -1;
  const length = <u32>(found.valueEnd - found.valueStart);
  const count = min(length, <u32>capacity);
  if (!writable(out, count)) {
    trap();
    return 0;
  }
  memory.copy(at(out), found.valueStart, count);
  return <i32>length;
}

export function mayfly$now(): f64 {
  return <f64>realTime();
}

export function mayfly$random(address: i32, length: i32): void {
  if (<u32>length > MAX_RANDOM_BYTES || !writable(address, length)) return trap();
  fillRandom(at(address), <u32>length);
}

/** AssemblyScript calls this instead of trapping: say why in the log, then trap. */
export function env$abort(message: i32, file: i32, line: i32, column: i32): void {
  let end = putString(scratch, message);
  if (end == scratch) end = put(end, "abort");
  end = put(end, " (");
  const fileStart = end;
  end = putString(end, file);
  if (end == fileStart) end = put(end, "guest");
  end = putNumber(put(end, ":"), line);
  end = putNumber(put(end, ":"), column);
  logOfRun(ERROR, scratch, put(end, ")") - scratch);
  trap();
}

export function env$seed(): f64 {
  return <f64>realTime() * randomNumber();
}

/** An AssemblyScript string as UTF-8: UTF-16 with its byte length in the 32-bit word before it. Nothing when there is none. */
function putString(to: usize, address: u32): usize {
  if (address < 4 || !guest.has(address, 0)) return to;
  const length = min(min(load<u32>(at(address) - 4), guest.size() - address), <u32>MAX_MESSAGE_BYTES);
  let out = to;
  const end = at(address) + (length & ~1);
  for (let i = at(address); i < end; i += 2) {
    let point: u32 = load<u16>(i);
    if ((point & 0xfc00) == 0xd800 && i + 2 < end && (load<u16>(i + 2) & 0xfc00) == 0xdc00) {
      point = 0x10000 + ((point & 0x3ff) << 10) + (load<u16>(i + 2) & 0x3ff);
      i += 2;
    } else if ((point & 0xf800) == 0xd800) point = 0xfffd;
    out = putPoint(out, point);
  }
  return out;
}

function putPoint(to: usize, point: u32): usize {
  if (point < 0x80) {
    store<u8>(to, point);
    return to + 1;
  }
  if (point < 0x800) {
    store<u8>(to, 0xc0 | (point >> 6));
    store<u8>(to + 1, 0x80 | (point & 63));
    return to + 2;
  }
  if (point < 0x10000) {
    store<u8>(to, 0xe0 | (point >> 12));
    store<u8>(to + 1, 0x80 | ((point >> 6) & 63));
    store<u8>(to + 2, 0x80 | (point & 63));
    return to + 3;
  }
  store<u8>(to, 0xf0 | (point >> 18));
  store<u8>(to + 1, 0x80 | ((point >> 12) & 63));
  store<u8>(to + 2, 0x80 | ((point >> 6) & 63));
  store<u8>(to + 3, 0x80 | (point & 63));
  return to + 4;
}
