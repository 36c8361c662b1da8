import { skipBlanks, trimmedEnd } from "../http/characters";
import { putStatusLine } from "../http/status-line";
import { find, putBytes } from "../memory/bytes";
import { answer } from "./answer";
import { isOurs, isSafeValue, isToken, named } from "./response-fields";
import { MAX_FIELDS, MAX_FIELD_BYTES, fieldLines } from "./response-frame";

/** In front of the lines: a status line. */
const STATUS_LINE_BYTES: usize = 64;

/**
 * Parses a program's standard output (RFC 3875 §6), as the gateway does (src/runtime/wasi/cgi-response.ts): header lines
 * ended by LF or CRLF, an empty line, the body. False: it is not a CGI response.
 */
export function readCgiResponse(output: usize, length: usize): bool {
  const end = output + length;
  const lines = fieldLines() + STATUS_LINE_BYTES;
  let out = lines;
  let count: u32 = 0;
  let status = 0;
  let hasLocation = false;
  let at = output;
  while (true) {
    const lineFeed = find(at, min(end, output + MAX_FIELD_BYTES), 0x0a);
    if (lineFeed >= end || lineFeed - output >= MAX_FIELD_BYTES || count > MAX_FIELDS) return false;
    const lineStart = at;
    const lineEnd = lineFeed > at && load<u8>(lineFeed - 1) == 0x0d ? lineFeed - 1 : lineFeed;
    at = lineFeed + 1;
    if (lineEnd == lineStart) break;
    const colon = find(lineStart, lineEnd, 0x3a);
    if (colon == lineEnd || colon == lineStart || !isToken(lineStart, colon)) return false;
    const valueStart = skipBlanks(colon + 1, lineEnd);
    const valueEnd = trimmedEnd(valueStart, lineEnd);
    if (!isSafeValue(valueStart, valueEnd)) return false;
    const nameBytes = colon - lineStart;
    if (nameBytes == 6 && named(lineStart, "status")) {
      status = statusOf(valueStart, valueEnd);
      if (status == 0) return false;
    } else if (!isOurs(lineStart, colon)) {
      if (nameBytes == 8 && named(lineStart, "location")) hasLocation = true;
      out = putBytes(out, lineStart, nameBytes);
      store<u16>(out, 0x203a);
      out = putBytes(out + 2, valueStart, valueEnd - valueStart);
      store<u16>(out, 0x0a0d);
      out += 2;
      count++;
    }
  }
  if (status == 0) status = hasLocation ? 302 : 200;
  const statusLine = putStatusLine(fieldLines(), status) - fieldLines();
  memory.copy(lines - statusLine, fieldLines(), statusLine);
  answer(status, lines - statusLine, out - lines + statusLine, at, <u32>(end - at));
  return true;
}

/** `404`, or `404 Not Found`; 0: it is no status. */
function statusOf(start: usize, end: usize): i32 {
  if (end - start < 3 || (end - start > 3 && load<u8>(start + 3) != 0x20)) return 0;
  let status = 0;
  for (let i = start; i < start + 3; i++) {
    const digit = load<u8>(i) - 0x30;
    if (digit > 9) return 0;
    status = status * 10 + digit;
  }
  return status >= 200 && status <= 599 ? status : 0;
}
