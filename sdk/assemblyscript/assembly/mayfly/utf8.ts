import { narrow, sameAscii, widen } from "./ascii";

/** Text is UTF-8 on the wire and UTF-16 in AssemblyScript: the crossings, with a short way for ASCII. */

/** The text of `length` bytes of UTF-8 at `from`. Malformed sequences become U+FFFD, as in the Encoding standard. */
export function decode(from: usize, length: usize): string {
  const text = changetype<string>(__new(length << 1, idof<string>()));
  const ascii = widen(from, length, changetype<usize>(text));
  return ascii == length ? text : decodeAny(from, length, ascii, text);
}

/** Continues behind bytes that were ASCII; `text` has room for one unit per byte, which always suffices. */
function decodeAny(from: usize, length: usize, ascii: usize, text: string): string {
  const units = changetype<usize>(text);
  let out = units + (ascii << 1);
  let at = from + ascii;
  const end = from + length;
  while (at < end) {
    const size = sequenceLength(at, end);
    if (size <= 0) {
      store<u16>(out, 0xfffd);
      out += 2;
      at += <usize>max(-size, 1);
      continue;
    }
    out = decodeOne(at, size, out);
    at += size;
  }
  return changetype<string>(__renew(units, out - units));
}

/**
 * Length of the well-formed sequence at `at`, or minus the number of bytes that belong to the malformed one
 * (its "maximal subpart", Unicode 3.9, which one U+FFFD stands for).
 */
export function sequenceLength(at: usize, end: usize): i32 {
  const lead = load<u8>(at);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return -1;
  const size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + 1 >= end) return -1;
  const second = load<u8>(at, 1);
  // The second byte alone tells overlong forms, surrogates and points beyond U+10FFFF.
  const low: u8 = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const high: u8 = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return -1;
  for (let i = 2; i < size; i++) {
    if (at + i >= end || (load<u8>(at + i) & 0xc0) != 0x80) return -i;
  }
  return size;
}

/** Writes the character of a well-formed sequence as one or two UTF-16 units; returns the place behind them. */
export function decodeOne(at: usize, size: i32, out: usize): usize {
  let point = <u32>load<u8>(at);
  if (size > 1) point &= 0x7f >> size;
  for (let i = 1; i < size; i++) point = (point << 6) | (load<u8>(at + i) & 0x3f);
  if (point < 0x10000) {
    store<u16>(out, <u16>point);
    return out + 2;
  }
  store<u16>(out, <u16>(0xd800 | ((point - 0x10000) >> 10)));
  store<u16>(out, <u16>(0xdc00 | (point & 0x3ff)), 2);
  return out + 4;
}

/** Most bytes that `text` can need in UTF-8. */
export function encodedCapacity(text: string): usize {
  return <usize>text.length * 3;
}

/** Writes `text` as UTF-8 and returns its length in bytes. Lone surrogates become U+FFFD. */
export function encode(text: string, to: usize): usize {
  const count = text.length;
  const ascii = narrow(changetype<usize>(text), count, to);
  let out = to + ascii;
  for (let i = <i32>ascii; i < count; i++) {
    const unit = load<u16>(changetype<usize>(text) + (<usize>i << 1));
    if (unit < 0x80) {
      store<u8>(out++, <u8>unit);
      continue;
    }
    const point = text.codePointAt(i);
    if (point >= 0x10000) i++;
    out = encodePoint(isSurrogate(point) ? 0xfffd : point, out);
  }
  return out - to;
}

export function isSurrogate(point: u32): bool {
  return point - 0xd800 < 0x800;
}

/** Writes one character beyond ASCII; returns the place behind it. */
export function encodePoint(point: u32, to: usize): usize {
  const size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  for (let i = size - 1; i > 0; i--) {
    store<u8>(to + i, <u8>(0x80 | (point & 0x3f)));
    point >>= 6;
  }
  store<u8>(to, <u8>((0xf00 >> size) | point));
  return to + size;
}

/** Whether the bytes are exactly this text. */
export function equals(from: usize, length: usize, text: string): bool {
  const count = <usize>text.length;
  if (count > length) return false;
  const units = changetype<usize>(text);
  // Only text beyond ASCII has fewer units than bytes.
  if (count == length && sameAscii(from, units, count)) return true;
  for (let i: usize = 0; i < count; i++) {
    const byte = load<u8>(from + i);
    if (byte >= 0x80) return decode(from, length) == text;
    if (<u16>byte != load<u16>(units + (i << 1))) return false;
  }
  return count == length;
}

/** The same for ASCII names whatever their case (header names). */
export function equalsIgnoringCase(from: usize, length: usize, name: string): bool {
  if (<usize>name.length != length) return false;
  const units = changetype<usize>(name);
  for (let i: usize = 0; i < length; i++) {
    if (lower(load<u8>(from + i)) != lower(load<u16>(units + (i << 1)))) return false;
  }
  return true;
}

/** Whether two ASCII names are equal whatever their case. */
export function sameName(a: string, b: string): bool {
  if (a.length != b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (lower(a.charCodeAt(i)) != lower(b.charCodeAt(i))) return false;
  }
  return true;
}

function lower(unit: u32): u32 {
  return unit - 65 < 26 ? unit | 32 : unit;
}
