import { is } from "../memory/bytes";
import { scanAuthority } from "./authority";
import {
  ASTERISK,
  AUTHORITY,
  COLON,
  CR,
  DIGIT,
  DOT,
  LF,
  PATH,
  QUERY,
  QUESTION,
  SLASH,
  SPACE,
  TOKEN,
  ZERO,
  isIn,
  skip,
} from "./characters";
import { head, maxTargetBytes } from "./head";
import { DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT } from "./methods";
import { BAD_REQUEST, METHOD_NOT_IMPLEMENTED, URI_TOO_LONG, VERSION_NOT_SUPPORTED } from "./rejection";

const MAX_METHOD_LENGTH: usize = 32;

/**
 * `method SP request-target SP HTTP-version CRLF` (RFC 9112 §3) at `start`.
 * Returns the address after it, 0 when bytes are missing, or a rejection.
 */
export function scanRequestLine(start: usize, end: usize): i32 {
  const i = skip(start, end, TOKEN);
  if (i == end) return i - start > MAX_METHOD_LENGTH ? METHOD_NOT_IMPLEMENTED : 0;
  if (load<u8>(i) != SPACE || i == start) return BAD_REQUEST;
  head.method = methodAt(start, i);
  if (head.method == 0) return METHOD_NOT_IMPLEMENTED;

  const targetStart = i + 1;
  const targetEnd = scanTarget(targetStart, end);
  if (targetEnd < 0) return targetEnd;
  const seenEnd = targetEnd == 0 ? end : <usize>targetEnd;
  if (seenEnd > targetStart && seenEnd - targetStart > maxTargetBytes) return URI_TOO_LONG;
  if (targetEnd == 0) return 0;
  return scanVersion(<usize>targetEnd + 1, end);
}

/** Method names are case-sensitive: `get` is not GET (RFC 9110 §9.1). */
function methodAt(start: usize, end: usize): i32 {
  if (is(start, end, "GET")) return GET;
  if (is(start, end, "POST")) return POST;
  if (is(start, end, "PUT")) return PUT;
  if (is(start, end, "HEAD")) return HEAD;
  if (is(start, end, "DELETE")) return DELETE;
  if (is(start, end, "PATCH")) return PATCH;
  return is(start, end, "OPTIONS") ? OPTIONS : 0;
}

/** The address of the space after the target, 0 when bytes are missing, or a rejection. */
function scanTarget(start: usize, end: usize): i32 {
  if (start >= end) return 0;
  const first = load<u8>(start);
  if (first == SLASH) return scanPath(start, end);
  if (first == ASTERISK) return scanAsterisk(start, end);
  return scanAbsolute(start, end);
}

function scanPath(start: usize, end: usize): i32 {
  const i = skip(start, end, PATH);
  head.pathStart = start;
  head.pathEnd = i;
  return scanQuery(i, end);
}

/** From the end of the path: an optional query, then the space. A fragment has no place in a target. */
function scanQuery(start: usize, end: usize): i32 {
  let i = start;
  head.queryStart = start;
  if (i < end && load<u8>(i) == QUESTION) {
    head.queryStart = ++i;
    i = skip(i, end, QUERY);
  }
  head.queryEnd = i;
  if (i == end) return 0;
  return load<u8>(i) == SPACE ? <i32>i : BAD_REQUEST;
}

function scanAsterisk(start: usize, end: usize): i32 {
  if (head.method != OPTIONS) return BAD_REQUEST;
  head.pathStart = start;
  head.pathEnd = start + 1;
  head.queryStart = start + 1;
  head.queryEnd = start + 1;
  if (start + 1 >= end) return 0;
  return load<u8>(start + 1) == SPACE ? <i32>(start + 1) : BAD_REQUEST;
}

/** `http://host:port/path?query`; https too. Its host counts, not the Host field's (RFC 9112 §3.2.2). */
function scanAbsolute(start: usize, end: usize): i32 {
  const scheme = "http://";
  let i = start;
  for (let k = 0; k < scheme.length; k++) {
    const expected = <u8>scheme.charCodeAt(k);
    if (i >= end) return 0;
    if (expected == COLON && (load<u8>(i) | 0x20) == 0x73) i++; // the s of https
    if (i >= end) return 0;
    const byte = load<u8>(i++);
    if ((k < 4 ? byte | 0x20 : byte) != expected) return BAD_REQUEST;
  }
  const hostStart = i;
  i = skip(i, end, AUTHORITY);
  if (i == end) return 0;
  const hostEnd = scanAuthority(hostStart, i);
  if (hostEnd == 0) return BAD_REQUEST;
  head.hostStart = hostStart;
  head.hostEnd = hostEnd;
  if (load<u8>(i) == SLASH) return scanPath(i, end);
  // `http://host` means the path `/`: the second slash of `://` stands in for it.
  head.pathStart = hostStart - 1;
  head.pathEnd = hostStart;
  return scanQuery(i, end);
}

/** "HTTP/1.1" as a little-endian number. */
const HTTP_1_1: u64 = 0x312e312f50545448;
const CRLF: u16 = 0x0a0d;

function scanVersion(start: usize, end: usize): i32 {
  if (start + 10 <= end && load<u64>(start) == HTTP_1_1 && load<u16>(start + 8) == CRLF) {
    head.minorVersion = 1;
    return <i32>(start + 10);
  }
  const version = "HTTP/";
  for (let k = 0; k < version.length; k++) {
    if (start + k >= end) return 0;
    if (load<u8>(start + k) != version.charCodeAt(k)) return BAD_REQUEST;
  }
  const major = start + version.length;
  if (end - major < 3) return 0;
  const minor = load<u8>(major + 2);
  if (!isIn(load<u8>(major), DIGIT) || !isIn(minor, DIGIT) || load<u8>(major + 1) != DOT) return BAD_REQUEST;
  if (load<u8>(major) != ZERO + 1 || minor > ZERO + 1) return VERSION_NOT_SUPPORTED;
  head.minorVersion = minor - ZERO;
  if (end - major < 4) return 0;
  if (load<u8>(major + 3) != CR) return BAD_REQUEST;
  if (end - major < 5) return 0;
  return load<u8>(major + 4) == LF ? <i32>(major + 5) : BAD_REQUEST;
}
