/**
 * Which bytes may stand where (RFC 9110 §5.6.2 tokens, §5.5 field values; RFC 3986 for targets), one bit a set: the same
 * sets as the gateway's (src/http/characters.ts).
 */
export const TOKEN: u8 = 1;
export const FIELD: u8 = 2;
export const PATH: u8 = 4;
export const QUERY: u8 = 8;
export const AUTHORITY: u8 = 16;
export const DIGIT: u8 = 32;
export const HEX: u8 = 64;
export const UNRESERVED: u8 = 128;

export const TAB: u8 = 0x09;
export const LF: u8 = 0x0a;
export const CR: u8 = 0x0d;
export const SPACE: u8 = 0x20;
export const PERCENT: u8 = 0x25;
export const ASTERISK: u8 = 0x2a;
export const COMMA: u8 = 0x2c;
export const DOT: u8 = 0x2e;
export const SLASH: u8 = 0x2f;
export const ZERO: u8 = 0x30;
export const COLON: u8 = 0x3a;
export const SEMICOLON: u8 = 0x3b;
export const QUESTION: u8 = 0x3f;

const table: usize = memory.data(256, 16);

export function openCharacters(): void {
  const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const inPaths = "-._~%!$&'()*+,;=:";
  add(TOKEN | PATH | AUTHORITY | UNRESERVED, alphanumeric);
  add(TOKEN, "!#$%&'*+-.^_`|~");
  add(PATH | AUTHORITY, inPaths);
  add(PATH, "@/^|");
  add(AUTHORITY, "[]");
  add(DIGIT, "0123456789");
  add(HEX, "0123456789abcdefABCDEF");
  add(UNRESERVED, "-._~");
  for (let byte = 0; byte < 256; byte++) {
    if (byte == TAB || (byte >= 0x20 && byte != 0x7f)) set(FIELD, byte);
    const isDelimiter = byte == 0x22 || byte == 0x23 || byte == 0x3c || byte == 0x3e; // " # < >
    if (byte > 0x20 && byte < 0x7f && !isDelimiter) set(QUERY, byte);
  }
}

function add(sets: u8, characters: string): void {
  for (let i = 0; i < characters.length; i++) set(sets, characters.charCodeAt(i));
}

function set(sets: u8, byte: i32): void {
  store<u8>(table + byte, load<u8>(table + byte) | sets);
}

// @ts-ignore: decorator
@inline
export function isIn(byte: u32, sets: u8): bool {
  return (load<u8>(table + byte) & sets) != 0;
}

/** The first byte of [start, end) that is not in the set, or `end`. */
// @ts-ignore: decorator
@inline
export function skip(start: usize, end: usize, sets: u8): usize {
  let i = start;
  while (i < end && isIn(load<u8>(i), sets)) i++;
  return i;
}

/** `skip` for field values, 16 bytes at a time: 16 bytes behind `end` may be read. */
export function skipField(start: usize, end: usize): usize {
  let i = start;
  while (i < end) {
    const bytes = v128.load(i);
    const controls = v128.andnot(i8x16.lt_u(bytes, i8x16.splat(0x20)), i8x16.eq(bytes, i8x16.splat(0x09)));
    const stops = i8x16.bitmask(v128.or(controls, i8x16.eq(bytes, i8x16.splat(0x7f))));
    if (stops != 0) return min(i + ctz(stops), end);
    i += 16;
  }
  return end;
}

// @ts-ignore: decorator
@inline
export function isBlank(byte: u8): bool {
  return byte == SPACE || byte == TAB;
}

export function skipBlanks(start: usize, end: usize): usize {
  let i = start;
  while (i < end && isBlank(load<u8>(i))) i++;
  return i;
}

/** The end of [start, end) without the blanks at its end. */
export function trimmedEnd(start: usize, end: usize): usize {
  let i = end;
  while (i > start && isBlank(load<u8>(i - 1))) i--;
  return i;
}

/** The value of a hexadecimal digit. */
export function hexValue(byte: u8): u32 {
  return byte <= 0x39 ? byte - ZERO : (byte | 0x20) - 0x57;
}

export function lower(byte: u8): u8 {
  return <u8>(byte - 0x41) < 26 ? byte | 0x20 : byte;
}
