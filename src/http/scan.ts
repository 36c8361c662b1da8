import { scanAuthority } from './authority.ts';
import {
  ASTERISK,
  CHARACTERS,
  COLON,
  COMMA,
  CR,
  DIGIT,
  FIELD,
  LF,
  SPACE,
  TAB,
  TOKEN,
  ZERO,
  equalsIgnoreCase,
  lowerCase,
} from './characters.ts';
import { readConnectionFields } from './connection-field.ts';
import { CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING, OTHER, isSingleton } from './fields.ts';
import { knownFieldAt } from './field-names.ts';
import type { HeadLimits, RequestHead } from './head.ts';
import { normalisePath } from './path.ts';
import {
  BAD_REQUEST,
  CONTENT_TOO_LARGE,
  EXPECTATION_FAILED,
  HEADERS_TOO_LARGE,
  TRANSFER_CODING_NOT_IMPLEMENTED,
} from './rejection.ts';
import { scanRequestLine } from './request-line.ts';
import { skipPlainWords, wordsOf } from './words.ts';

// A module's own constants are folded into the machine code; imported ones are loaded at every byte.
const characters = CHARACTERS;
const token = TOKEN;
const field = FIELD;
const colon = COLON;
const cr = CR;
const lf = LF;
const space = SPACE;
const tab = TAB;

/**
 * Reads the request head in bytes[start, end) into `head`, as strictly as RFC 9112 allows: one reading, no repair.
 * Returns the offset after the head, 0 when bytes are missing, or a rejection (rejection.ts, below 0).
 *
 * The path of a complete head is normalised in place (path.ts).
 *
 * It keeps no state between calls: an incomplete head is scanned again from its start. The connection sees to it that
 * this does not happen at every byte.
 */
export function scanHead(
  bytes: Uint8Array,
  start: number,
  end: number,
  head: RequestHead,
  limits: HeadLimits,
): number {
  head.reset(start, limits.maxHeaders);
  const result = scanLines(bytes, start, end, head, limits);
  if (result < 0) return result;
  if (result === 0) return end - start >= limits.maxHeadBytes ? HEADERS_TOO_LARGE : 0;
  if (result - start > limits.maxHeadBytes) return HEADERS_TOO_LARGE;
  head.end = result;
  const rejection = settle(bytes, head);
  return rejection === 0 ? result : rejection;
}

function scanLines(
  bytes: Uint8Array,
  start: number,
  end: number,
  head: RequestHead,
  limits: HeadLimits,
): number {
  let line = start;
  if (start < end && bytes[start] === CR) {
    // One empty line before the request line is forgiven (RFC 9112 §2.2).
    if (start + 1 === end) return 0;
    if (bytes[start + 1] !== LF) return BAD_REQUEST;
    line = start + 2;
  }
  const fields = scanRequestLine(bytes, line, end, head, limits);
  return fields > 0 ? scanFields(bytes, fields, end, head, limits.maxHeaders) : fields;
}

/** Field lines up to the empty one: no folding, no space around the name, CRLF and nothing else ends a line. */
function scanFields(
  bytes: Uint8Array,
  start: number,
  end: number,
  head: RequestHead,
  maxHeaders: number,
): number {
  const words = wordsOf(bytes);
  let i = start;
  for (;;) {
    const nameStart = i;
    if (i === end) return 0;
    const knownField = knownFieldAt(words, i, end, bytes[i]);
    if (knownField !== null) i += knownField.name.length;
    else while (i < end && (characters[bytes[i]] & token) !== 0) i++;
    if (i === end) return 0;
    const nameEnd = i;
    if (bytes[i] !== colon || i === nameStart) {
      if (bytes[i] !== cr || i !== nameStart) return BAD_REQUEST;
      if (i + 1 === end) return 0;
      return bytes[i + 1] === lf ? i + 2 : BAD_REQUEST;
    }
    i++;
    while (i < end && (bytes[i] === space || bytes[i] === tab)) i++;
    const valueStart = i;
    i = skipPlainWords(words, i, end);
    while (i < end && (characters[bytes[i]] & field) !== 0) i++;
    if (i === end) return 0;
    if (bytes[i] !== cr) return BAD_REQUEST;
    if (i + 1 === end) return 0;
    if (bytes[i + 1] !== lf) return BAD_REQUEST;
    let valueEnd = i;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === space || bytes[valueEnd - 1] === tab))
      valueEnd--;
    i += 2;
    if (head.headerCount === maxHeaders) return HEADERS_TOO_LARGE;
    const kind = knownField === null ? OTHER : knownField.kind;
    if (isSingleton(kind) && head.has(kind)) return BAD_REQUEST;
    head.add(kind, nameStart, nameEnd, valueStart, valueEnd);
  }
}

/** What the fields mean together (host, connection, framing), and one spelling for the path. 0 or a rejection. */
function settle(bytes: Uint8Array, head: RequestHead): number {
  const host = settleHost(bytes, head);
  if (host < 0) return host;
  head.keepAlive = head.minorVersion === 1;
  if (head.row(CONNECTION) >= 0) {
    const connection = readConnectionFields(bytes, head);
    if (connection < 0) return connection;
  }
  const framing = settleFraming(bytes, head);
  if (framing < 0) return framing;
  const expectation = settleExpectation(bytes, head);
  return expectation < 0 ? expectation : settlePath(bytes, head);
}

function settlePath(bytes: Uint8Array, head: RequestHead): number {
  if (bytes[head.pathStart] === ASTERISK) return 0;
  const pathEnd = normalisePath(bytes, head.pathStart, head.pathEnd);
  if (pathEnd < 0) return pathEnd;
  head.pathEnd = pathEnd;
  return 0;
}

function settleHost(bytes: Uint8Array, head: RequestHead): number {
  const row = head.row(HOST);
  if (row < 0) return head.minorVersion === 1 ? BAD_REQUEST : 0;
  const start = head.valueStart(row);
  const end = head.valueEnd(row);
  const nameEnd = scanAuthority(bytes, start, end);
  if (nameEnd < 0) return BAD_REQUEST;
  if (head.hostEnd > 0) return 0; // an absolute-form target has named the host
  head.hostStart = start;
  head.hostEnd = end;
  head.hostNameEnd = nameEnd;
  return 0;
}

const chunked = lowerCase('chunked');

/**
 * How long the body is (RFC 9112 §6.3), where only one answer is possible. White space after the value of these two
 * fields is refused: parsers are known to disagree on it.
 */
function settleFraming(bytes: Uint8Array, head: RequestHead): number {
  const lengthRow = head.row(CONTENT_LENGTH);
  const codingRow = head.row(TRANSFER_ENCODING);
  if (codingRow >= 0) {
    if (lengthRow >= 0 || head.minorVersion === 0) return BAD_REQUEST;
    const end = head.valueEnd(codingRow);
    const start = head.valueStart(codingRow);
    if (bytes[end] !== CR) return BAD_REQUEST;
    if (!equalsIgnoreCase(bytes, start, end, chunked)) return otherCoding(bytes, start, end);
    head.chunked = true;
  } else if (lengthRow >= 0) {
    return settleLength(bytes, head, head.valueStart(lengthRow), head.valueEnd(lengthRow));
  }
  return 0;
}

/** `gzip, chunked` has an end, which we could find if we knew gzip: 501. Without `chunked` last there is none: 400. */
function otherCoding(bytes: Uint8Array, start: number, end: number): number {
  let before = end - chunked.length;
  if (before <= start || !equalsIgnoreCase(bytes, before, end, chunked)) return BAD_REQUEST;
  while (before > start && (bytes[before - 1] === SPACE || bytes[before - 1] === TAB)) before--;
  return bytes[before - 1] === COMMA ? TRANSFER_CODING_NOT_IMPLEMENTED : BAD_REQUEST;
}

/** The most decimal digits of which every number is exact in a double. */
const MAX_LENGTH_DIGITS = 15;

function settleLength(bytes: Uint8Array, head: RequestHead, start: number, end: number): number {
  if (start === end || bytes[end] !== CR) return BAD_REQUEST;
  let length = 0;
  for (let i = start; i < end; i++) {
    if ((characters[bytes[i]] & DIGIT) === 0) return BAD_REQUEST;
    length = length * 10 + (bytes[i] - ZERO);
  }
  if (end - start > MAX_LENGTH_DIGITS) return CONTENT_TOO_LARGE;
  head.contentLength = length;
  return 0;
}

const hundredContinue = lowerCase('100-continue');

/** An HTTP/1.0 client's expectation is to be ignored (RFC 9110 §10.1.1). */
function settleExpectation(bytes: Uint8Array, head: RequestHead): number {
  const row = head.row(EXPECT);
  if (row < 0 || head.minorVersion === 0) return 0;
  if (!equalsIgnoreCase(bytes, head.valueStart(row), head.valueEnd(row), hundredContinue)) {
    return EXPECTATION_FAILED;
  }
  head.expectContinue = head.chunked || head.contentLength > 0;
  return 0;
}
