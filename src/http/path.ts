import { CHARACTERS, DOT, HEX, PERCENT, SLASH, UNRESERVED, hexValue } from './characters.ts';
import { INVALID_PATH } from './rejection.ts';

/**
 * One spelling for a path, so that router, policy and function can never read it differently (docs/reference/http.md):
 * escapes of unreserved characters are decoded, other escapes get upper-case digits, `//` becomes `/`, dot segments
 * are resolved, a trailing slash stays. Broken escapes, escaped slashes, backslashes and control characters, and paths
 * that climb above the root are refused.
 *
 * Works in place, since the result is never longer. Returns the path's new end, or INVALID_PATH.
 * Normalising twice changes nothing more.
 */
export function normalisePath(bytes: Uint8Array, start: number, end: number): number {
  return isNormal(bytes, start, end) ? end : rewrite(bytes, start, end);
}

/** Nothing to do where there is no escape and no slash is followed by a slash or a dot. */
function isNormal(bytes: Uint8Array, start: number, end: number): boolean {
  let previous = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (byte === PERCENT) return false;
    if (previous === SLASH && (byte === SLASH || byte === DOT)) return false;
    previous = byte;
  }
  return true;
}

function rewrite(bytes: Uint8Array, start: number, end: number): number {
  const decodedEnd = decodeEscapes(bytes, start, end);
  return decodedEnd < 0 ? decodedEnd : resolveSegments(bytes, start, decodedEnd);
}

function decodeEscapes(bytes: Uint8Array, start: number, end: number): number {
  let out = start;
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (byte !== PERCENT) {
      bytes[out++] = byte;
      continue;
    }
    if (i + 2 >= end || (CHARACTERS[bytes[i + 1]] & CHARACTERS[bytes[i + 2]] & HEX) === 0)
      return INVALID_PATH;
    const value = (hexValue(bytes[i + 1]) << 4) | hexValue(bytes[i + 2]);
    if (isForbidden(value)) return INVALID_PATH;
    if ((CHARACTERS[value] & UNRESERVED) !== 0) {
      bytes[out++] = value;
    } else {
      bytes[out++] = PERCENT;
      bytes[out++] = upperHex(bytes[i + 1]);
      bytes[out++] = upperHex(bytes[i + 2]);
    }
    i += 2;
  }
  return out;
}

const BACKSLASH = 0x5c;

/** Characters that some reader further on could take for a separator or an end. */
function isForbidden(value: number): boolean {
  return value < 0x20 || value === 0x7f || value === SLASH || value === BACKSLASH;
}

function upperHex(digit: number): number {
  return digit >= 0x61 ? digit - 0x20 : digit;
}

/** RFC 3986 §5.2.4, empty segments dropped on the way. bytes[start] is a slash. */
function resolveSegments(bytes: Uint8Array, start: number, end: number): number {
  let out = start; // bytes[start, out) is the result so far: whole segments, each with its leading slash
  let i = start;
  let endsInSlash = false;
  while (i < end) {
    i++; // the slash
    const segment = i;
    while (i < end && bytes[i] !== SLASH) i++;
    const length = i - segment;
    const isDot = length === 1 && bytes[segment] === DOT;
    const isDotDot = length === 2 && bytes[segment] === DOT && bytes[segment + 1] === DOT;
    endsInSlash = length === 0 || isDot || isDotDot;
    if (isDotDot) {
      if (out === start) return INVALID_PATH;
      do out--;
      while (bytes[out] !== SLASH);
    } else if (!endsInSlash) {
      bytes[out++] = SLASH;
      bytes.copyWithin(out, segment, i);
      out += length;
    }
  }
  if (endsInSlash) bytes[out++] = SLASH;
  return out;
}
