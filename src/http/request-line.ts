import { DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT } from '../model/method.ts';
import { scanAuthority } from './authority.ts';
import {
  ASTERISK,
  AUTHORITY,
  CHARACTERS,
  COLON,
  CR,
  DIGIT,
  LF,
  PATH,
  QUERY,
  QUESTION,
  SLASH,
  SPACE,
  TOKEN,
  ZERO,
  lowerCase,
} from './characters.ts';
import type { HeadLimits, RequestHead } from './head.ts';
import { BAD_REQUEST, METHOD_NOT_IMPLEMENTED, URI_TOO_LONG, VERSION_NOT_SUPPORTED } from './rejection.ts';

// A module's own constants are folded into the machine code; imported ones are loaded at every byte.
const characters = CHARACTERS;
const token = TOKEN;
const path = PATH;
const query = QUERY;
const authority = AUTHORITY;
const space = SPACE;
const slash = SLASH;
const question = QUESTION;

const MAX_METHOD_LENGTH = 32;

/**
 * `method SP request-target SP HTTP-version CRLF` (RFC 9112 §3) at `start`.
 * Returns the offset after it, 0 when bytes are missing, or a rejection.
 */
export function scanRequestLine(
  bytes: Uint8Array,
  start: number,
  end: number,
  head: RequestHead,
  limits: HeadLimits,
): number {
  let i = start;
  while (i < end && (characters[bytes[i]] & token) !== 0) i++;
  if (i === end) return i - start > MAX_METHOD_LENGTH ? METHOD_NOT_IMPLEMENTED : 0;
  if (bytes[i] !== space || i === start) return BAD_REQUEST;
  head.method = methodAt(bytes, start, i);
  if (head.method === 0) return METHOD_NOT_IMPLEMENTED;

  const targetStart = i + 1;
  const targetEnd = scanTarget(bytes, targetStart, end, head);
  if (targetEnd < 0) return targetEnd;
  if ((targetEnd === 0 ? end : targetEnd) - targetStart > limits.maxTargetBytes) return URI_TOO_LONG;
  if (targetEnd === 0) return 0;
  head.targetStart = targetStart;
  head.targetEnd = targetEnd;
  return scanVersion(bytes, targetEnd + 1, end, head);
}

const names = {
  get: lowerCase('GET'),
  put: lowerCase('PUT'),
  post: lowerCase('POST'),
  head: lowerCase('HEAD'),
  patch: lowerCase('PATCH'),
  delete: lowerCase('DELETE'),
  options: lowerCase('OPTIONS'),
};

function methodAt(bytes: Uint8Array, start: number, end: number): number {
  switch (end - start) {
    case 3:
      if (isUpper(bytes, start, names.get)) return GET;
      return isUpper(bytes, start, names.put) ? PUT : 0;
    case 4:
      if (isUpper(bytes, start, names.post)) return POST;
      return isUpper(bytes, start, names.head) ? HEAD : 0;
    case 5:
      return isUpper(bytes, start, names.patch) ? PATCH : 0;
    case 6:
      return isUpper(bytes, start, names.delete) ? DELETE : 0;
    case 7:
      return isUpper(bytes, start, names.options) ? OPTIONS : 0;
    default:
      return 0;
  }
}

/** Method names are case-sensitive: `get` is not GET (RFC 9110 §9.1). */
function isUpper(bytes: Uint8Array, start: number, lower: Uint8Array): boolean {
  for (let i = 0; i < lower.length; i++) if (bytes[start + i] !== lower[i] - 0x20) return false;
  return true;
}

/** The offset of the space after the target, 0 when bytes are missing, or a rejection. */
function scanTarget(bytes: Uint8Array, start: number, end: number, head: RequestHead): number {
  if (start >= end) return 0;
  const first = bytes[start];
  if (first === slash) return scanPath(bytes, start, end, head);
  if (first === ASTERISK) return scanAsterisk(bytes, start, end, head);
  return scanAbsolute(bytes, start, end, head);
}

function scanPath(bytes: Uint8Array, start: number, end: number, head: RequestHead): number {
  let i = start;
  while (i < end && (characters[bytes[i]] & path) !== 0) i++;
  head.pathStart = start;
  head.pathEnd = i;
  return scanQuery(bytes, i, end, head);
}

/** From the end of the path: an optional query, then the space. A fragment has no place in a target. */
function scanQuery(bytes: Uint8Array, start: number, end: number, head: RequestHead): number {
  let i = start;
  head.queryStart = start;
  if (i < end && bytes[i] === question) {
    head.queryStart = ++i;
    while (i < end && (characters[bytes[i]] & query) !== 0) i++;
  }
  head.queryEnd = i;
  if (i === end) return 0;
  return bytes[i] === space ? i : BAD_REQUEST;
}

function scanAsterisk(bytes: Uint8Array, start: number, end: number, head: RequestHead): number {
  if (head.method !== OPTIONS) return BAD_REQUEST;
  head.pathStart = start;
  head.pathEnd = start + 1;
  head.queryStart = start + 1;
  head.queryEnd = start + 1;
  if (start + 1 >= end) return 0;
  return bytes[start + 1] === space ? start + 1 : BAD_REQUEST;
}

const scheme = lowerCase('http://');

/** `http://host:port/path?query`; https too. Its host counts, not the Host field's (RFC 9112 §3.2.2). */
function scanAbsolute(bytes: Uint8Array, start: number, end: number, head: RequestHead): number {
  let i = start;
  for (let k = 0; k < scheme.length; k++) {
    if (i >= end) return 0;
    if (scheme[k] === COLON && (bytes[i] | 0x20) === 0x73) i++; // the s of https
    if (i >= end) return 0;
    const byte = bytes[i++];
    if ((k < 4 ? byte | 0x20 : byte) !== scheme[k]) return BAD_REQUEST;
  }
  head.hostStart = i;
  while (i < end && (characters[bytes[i]] & authority) !== 0) i++;
  if (i === end) return 0;
  head.hostEnd = i;
  head.hostNameEnd = scanAuthority(bytes, head.hostStart, i);
  if (head.hostNameEnd < 0) return BAD_REQUEST;
  if (bytes[i] === slash) return scanPath(bytes, i, end, head);
  // `http://host` means the path `/`: the second slash of `://` stands in for it.
  head.pathStart = head.hostStart - 1;
  head.pathEnd = head.hostStart;
  return scanQuery(bytes, i, end, head);
}

const version = new Uint8Array([0x48, 0x54, 0x54, 0x50, 0x2f]); // "HTTP/"

/** Whether `HTTP/1.1` CRLF is all here, as it nearly always is: ten comparisons in place of two loops. */
function isVersion11(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    end - start >= 10 &&
    bytes[start] === 0x48 &&
    bytes[start + 1] === 0x54 &&
    bytes[start + 2] === 0x54 &&
    bytes[start + 3] === 0x50 &&
    bytes[start + 4] === 0x2f &&
    bytes[start + 5] === 0x31 &&
    bytes[start + 6] === 0x2e &&
    bytes[start + 7] === 0x31 &&
    bytes[start + 8] === 0x0d &&
    bytes[start + 9] === 0x0a
  );
}

function scanVersion(bytes: Uint8Array, start: number, end: number, head: RequestHead): number {
  if (isVersion11(bytes, start, end)) {
    head.minorVersion = 1;
    return start + 10;
  }
  for (let k = 0; k < version.length; k++) {
    if (start + k >= end) return 0;
    if (bytes[start + k] !== version[k]) return BAD_REQUEST;
  }
  const major = start + version.length;
  if (end - major < 3) return 0;
  const minor = bytes[major + 2];
  if ((characters[bytes[major]] & characters[minor] & DIGIT) === 0 || bytes[major + 1] !== 0x2e) {
    return BAD_REQUEST;
  }
  if (bytes[major] !== ZERO + 1 || minor > ZERO + 1) return VERSION_NOT_SUPPORTED;
  head.minorVersion = minor - ZERO;
  if (end - major < 4) return 0;
  if (bytes[major + 3] !== CR) return BAD_REQUEST;
  if (end - major < 5) return 0;
  return bytes[major + 4] === LF ? major + 5 : BAD_REQUEST;
}
