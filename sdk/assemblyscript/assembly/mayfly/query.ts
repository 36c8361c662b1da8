import { Bytes } from "./bytes";
import { decode, equals } from "./utf8";

/** The parameters of `?a=1&b=2` (application/x-www-form-urlencoded, as URLSearchParams reads them). */
export class Query {
  constructor(private start: usize, private length: usize) {}

  /** The first value of the parameter, or null when it is missing. */
  get(name: string): string | null {
    const end = this.start + this.length;
    let at = this.start;
    while (at < end) {
      const pairEnd = find(at, end, 0x26 /* & */);
      const nameEnd = find(at, pairEnd, 0x3d /* = */);
      if (matches(at, nameEnd, name)) return decodeComponent(min(nameEnd + 1, pairEnd), pairEnd);
      at = pairEnd + 1;
    }
    return null;
  }

  has(name: string): bool {
    return this.get(name) !== null;
  }

  /** The query as it came, without "?". */
  toString(): string {
    return decode(this.start, this.length);
  }
}

function find(from: usize, end: usize, byte: u8): usize {
  while (from < end && load<u8>(from) != byte) from++;
  return from;
}

function matches(from: usize, end: usize, name: string): bool {
  for (let at = from; at < end; at++) {
    const byte = load<u8>(at);
    if (byte == 0x25 /* % */ || byte == 0x2b /* + */) return decodeComponent(from, end) == name;
  }
  return from < end && equals(from, end - from, name);
}

function decodeComponent(from: usize, end: usize): string {
  const bytes = new Bytes(end - from);
  while (from < end) {
    const byte = load<u8>(from);
    if (byte == 0x25 && from + 2 < end && hexDigit(load<u8>(from, 1)) >= 0 && hexDigit(load<u8>(from, 2)) >= 0) {
      bytes.push(<u8>((hexDigit(load<u8>(from, 1)) << 4) | hexDigit(load<u8>(from, 2))));
      from += 3;
    } else {
      bytes.push(byte == 0x2b ? 0x20 : byte);
      from++;
    }
  }
  return decode(bytes.start, bytes.length);
}

/** The value of a hexadecimal digit, or -1. */
export function hexDigit(byte: u8): i32 {
  if (byte - 48 < 10) return byte - 48;
  const letter = (byte | 32) - 97;
  return letter < 6 ? letter + 10 : -1;
}
