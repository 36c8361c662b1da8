import { decode, encode, encodedCapacity } from "./utf8";

/** What the host lends a function (docs/reference/guest-abi.md, "Imports"). Only what is used is imported. */
// @ts-ignore: decorator
@external("mayfly", "log")
declare function hostLog(level: i32, message: usize, length: usize): void;
// @ts-ignore: decorator
@external("mayfly", "config")
declare function hostConfig(name: usize, nameLength: usize, out: usize, capacity: usize): i32;
// @ts-ignore: decorator
@external("mayfly", "now")
declare function hostNow(): f64;
// @ts-ignore: decorator
@external("mayfly", "random")
declare function hostRandom(out: usize, length: usize): void;

/** One log line of `length` bytes of UTF-8 at `from`; levels as in `log`, counted from 0. */
export function writeLog(level: i32, from: usize, length: usize): void {
  hostLog(level, from, length);
}

function write(level: i32, message: string): void {
  const bytes = __alloc(encodedCapacity(message));
  hostLog(level, bytes, encode(message, bytes));
}

/** Log lines carry the function, its revision and the request id; `mayfly logs` shows them. */
export namespace log {
  export function debug(message: string): void {
    write(0, message);
  }
  export function info(message: string): void {
    write(1, message);
  }
  export function warn(message: string): void {
    write(2, message);
  }
  export function error(message: string): void {
    write(3, message);
  }
}

/** Values under `env:` of the function in mayfly.yaml. */
export namespace config {
  /** The value, or null when it is not set. */
  export function get(name: string): string | null {
    const nameBytes = __alloc(encodedCapacity(name));
    const nameLength = encode(name, nameBytes);
    let capacity: usize = 256;
    while (true) {
      const out = __alloc(capacity);
      const length = hostConfig(nameBytes, nameLength, out, capacity);
      if (length < 0) return null;
      if (<usize>length <= capacity) return decode(out, length);
      capacity = length;
    }
  }
}

/** Milliseconds since the Unix epoch. */
export function now(): f64 {
  return hostNow();
}

/** `length` random bytes, fit for secrets. */
export function random(length: i32): Uint8Array {
  const bytes = new Uint8Array(length);
  hostRandom(bytes.dataStart, length);
  return bytes;
}
