import { isIgnoringCase } from "../memory/bytes";
import { scanAuthority } from "./authority";
import {
  COLON,
  COMMA,
  CR,
  DIGIT,
  LF,
  TOKEN,
  ZERO,
  isIn,
  skip,
  skipBlanks,
  skipField,
  trimmedEnd,
} from "./characters";
import { readConnectionFields } from "./connection-field";
import { CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING, fieldKind, isSingleton } from "./fields";
import { addLine, hasField, head, lineOf, maxHeadBytes, maxHeaders, resetHead } from "./head";
import {
  BAD_REQUEST,
  CONTENT_TOO_LARGE,
  EXPECTATION_FAILED,
  HEADERS_TOO_LARGE,
  TRANSFER_CODING_NOT_IMPLEMENTED,
} from "./rejection";
import { scanRequestLine } from "./request-line";

/**
 * Reads the request head in [start, end) into `head`, as strictly as RFC 9112 allows: one reading, no repair. It gives the
 * verdicts of the gateway's scanner (src/http/scan.ts) and is tested against it.
 * Returns the address after the head, 0 when bytes are missing, or a rejection.
 */
export function scanHead(start: usize, end: usize): i32 {
  resetHead(start);
  const result = scanLines(start, end);
  if (result < 0) return result;
  if (result == 0) return end - start >= maxHeadBytes ? HEADERS_TOO_LARGE : 0;
  if (<usize>result - start > maxHeadBytes) return HEADERS_TOO_LARGE;
  head.end = <usize>result;
  const rejection = settle();
  return rejection == 0 ? result : rejection;
}

function scanLines(start: usize, end: usize): i32 {
  let line = start;
  if (start < end && load<u8>(start) == CR) {
    // One empty line before the request line is forgiven (RFC 9112 §2.2).
    if (start + 1 == end) return 0;
    if (load<u8>(start + 1) != LF) return BAD_REQUEST;
    line = start + 2;
  }
  const fields = scanRequestLine(line, end);
  return fields > 0 ? scanFields(<usize>fields, end) : fields;
}

/** Field lines up to the empty one: no folding, no space around the name, CRLF and nothing else ends a line. */
function scanFields(start: usize, end: usize): i32 {
  let i = start;
  while (true) {
    const nameStart = i;
    i = skip(i, end, TOKEN);
    if (i == end) return 0;
    const nameEnd = i;
    if (load<u8>(i) != COLON || i == nameStart) {
      if (load<u8>(i) != CR || i != nameStart) return BAD_REQUEST;
      if (i + 1 == end) return 0;
      return load<u8>(i + 1) == LF ? <i32>(i + 2) : BAD_REQUEST;
    }
    const valueStart = skipBlanks(i + 1, end);
    i = skipField(valueStart, end);
    if (i == end) return 0;
    if (load<u8>(i) != CR) return BAD_REQUEST;
    if (i + 1 == end) return 0;
    if (load<u8>(i + 1) != LF) return BAD_REQUEST;
    const valueEnd = trimmedEnd(valueStart, i);
    i += 2;
    if (head.headerCount == maxHeaders) return HEADERS_TOO_LARGE;
    const kind = fieldKind(nameStart, nameEnd);
    if (isSingleton(kind) && hasField(kind)) return BAD_REQUEST;
    addLine(kind, nameStart, nameEnd, valueStart, valueEnd);
  }
}

/** What the fields mean together: host, connection, framing. 0 or a rejection. */
function settle(): i32 {
  const host = settleHost();
  if (host < 0) return host;
  head.keepAlive = head.minorVersion == 1;
  if (hasField(CONNECTION)) {
    const connection = readConnectionFields();
    if (connection < 0) return connection;
  }
  const framing = settleFraming();
  return framing < 0 ? framing : settleExpectation();
}

function settleHost(): i32 {
  if (!hasField(HOST)) return head.minorVersion == 1 ? BAD_REQUEST : 0;
  const field = lineOf(HOST);
  const nameEnd = scanAuthority(field.valueStart, field.valueEnd);
  if (nameEnd == 0) return BAD_REQUEST;
  if (head.hostEnd > 0) return 0; // an absolute-form target has named the host
  head.hostStart = field.valueStart;
  head.hostEnd = nameEnd;
  return 0;
}

/**
 * How long the body is (RFC 9112 §6.3), where only one answer is possible. White space after the value of these two fields
 * is refused: parsers are known to disagree on it.
 */
function settleFraming(): i32 {
  if (hasField(TRANSFER_ENCODING)) {
    if (hasField(CONTENT_LENGTH) || head.minorVersion == 0) return BAD_REQUEST;
    const coding = lineOf(TRANSFER_ENCODING);
    if (load<u8>(coding.valueEnd) != CR) return BAD_REQUEST;
    if (!isIgnoringCase(coding.valueStart, coding.valueEnd, "chunked")) {
      return otherCoding(coding.valueStart, coding.valueEnd);
    }
    head.chunked = true;
  } else if (hasField(CONTENT_LENGTH)) {
    const length = lineOf(CONTENT_LENGTH);
    return settleLength(length.valueStart, length.valueEnd);
  }
  return 0;
}

/** `gzip, chunked` has an end, which we could find if we knew gzip: 501. Without `chunked` last there is none: 400. */
function otherCoding(start: usize, end: usize): i32 {
  if (end - start < 8) return BAD_REQUEST;
  const last = end - 7;
  if (!isIgnoringCase(last, end, "chunked")) return BAD_REQUEST;
  const before = trimmedEnd(start, last);
  return load<u8>(before - 1) == COMMA ? TRANSFER_CODING_NOT_IMPLEMENTED : BAD_REQUEST;
}

/** As many as the gateway takes; nobody's limit is so high. */
const MAX_LENGTH_DIGITS: usize = 15;

function settleLength(start: usize, end: usize): i32 {
  if (start == end || load<u8>(end) != CR) return BAD_REQUEST;
  let length: i64 = 0;
  for (let i = start; i < end; i++) {
    const byte = load<u8>(i);
    if (!isIn(byte, DIGIT)) return BAD_REQUEST;
    length = length * 10 + (byte - ZERO);
  }
  if (end - start > MAX_LENGTH_DIGITS) return CONTENT_TOO_LARGE;
  head.contentLength = length;
  return 0;
}

/** An HTTP/1.0 client's expectation is to be ignored (RFC 9110 §10.1.1). */
function settleExpectation(): i32 {
  if (!hasField(EXPECT) || head.minorVersion == 0) return 0;
  const field = lineOf(EXPECT);
  if (!isIgnoringCase(field.valueStart, field.valueEnd, "100-continue")) return EXPECTATION_FAILED;
  head.expectContinue = head.chunked || head.contentLength > 0;
  return 0;
}
