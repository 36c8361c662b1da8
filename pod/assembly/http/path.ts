import { DOT, HEX, PERCENT, SLASH, UNRESERVED, hexValue, isIn } from "./characters";
import { INVALID_PATH } from "./rejection";

/**
 * One spelling for a path, as the gateway writes it (src/http/path.ts): escapes of unreserved characters are decoded, other
 * escapes get upper-case digits, `//` becomes `/`, dot segments are resolved, a trailing slash stays. Broken escapes,
 * escaped slashes, backslashes and control characters, and paths that climb above the root are refused.
 *
 * Works in place, since the result is never longer. Returns the path's new end, or INVALID_PATH.
 */
export function normalisePath(start: usize, end: usize): i32 {
  if (isNormal(start, end)) return <i32>end;
  const decodedEnd = decodeEscapes(start, end);
  return decodedEnd < 0 ? decodedEnd : resolveSegments(start, <usize>decodedEnd);
}

/** Nothing to do where there is no escape and no slash is followed by a slash or a dot. */
function isNormal(start: usize, end: usize): bool {
  let previous: u8 = 0;
  for (let i = start; i < end; i++) {
    const byte = load<u8>(i);
    if (byte == PERCENT) return false;
    if (previous == SLASH && (byte == SLASH || byte == DOT)) return false;
    previous = byte;
  }
  return true;
}

function decodeEscapes(start: usize, end: usize): i32 {
  let out = start;
  for (let i = start; i < end; i++) {
    const byte = load<u8>(i);
    if (byte != PERCENT) {
      store<u8>(out++, byte);
      continue;
    }
    if (i + 2 >= end) return INVALID_PATH;
    const high = load<u8>(i + 1);
    const low = load<u8>(i + 2);
    if (!isIn(high, HEX) || !isIn(low, HEX)) return INVALID_PATH;
    const value = (hexValue(high) << 4) | hexValue(low);
    if (isForbidden(value)) return INVALID_PATH;
    if (isIn(value, UNRESERVED)) {
      store<u8>(out++, value);
    } else {
      store<u8>(out++, PERCENT);
      store<u8>(out++, upperHex(high));
      store<u8>(out++, upperHex(low));
    }
    i += 2;
  }
  return <i32>out;
}

const BACKSLASH: u32 = 0x5c;

/** Characters that some reader further on could take for a separator or an end. */
function isForbidden(value: u32): bool {
  return value < 0x20 || value == 0x7f || value == SLASH || value == BACKSLASH;
}

function upperHex(digit: u8): u8 {
  return digit >= 0x61 ? digit - 0x20 : digit;
}

/** RFC 3986 §5.2.4, empty segments dropped on the way. The first byte is a slash. */
function resolveSegments(start: usize, end: usize): i32 {
  let out = start; // [start, out) is the result so far: whole segments, each with its leading slash
  let i = start;
  let endsInSlash = false;
  while (i < end) {
    i++; // the slash
    const segment = i;
    while (i < end && load<u8>(i) != SLASH) i++;
    const length = i - segment;
    const isDot = length == 1 && load<u8>(segment) == DOT;
    const isDotDot = length == 2 && load<u8>(segment) == DOT && load<u8>(segment + 1) == DOT;
    endsInSlash = length == 0 || isDot || isDotDot;
    if (isDotDot) {
      if (out == start) return INVALID_PATH;
      do out--;
      while (load<u8>(out) != SLASH);
    } else if (!endsInSlash) {
      store<u8>(out++, SLASH);
      memory.copy(out, segment, length);
      out += length;
    }
  }
  if (endsInSlash) store<u8>(out++, SLASH);
  return <i32>out;
}
