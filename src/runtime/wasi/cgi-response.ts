import { GATEWAY_FIELDS } from '../abi/response-headers.ts';

/** A CGI response taken apart: where its body lies in the program's output, and its header lines as HTTP/1.1 writes them. */
export interface CgiResponse {
  readonly status: number;
  readonly headers: Buffer;
  readonly bodyStart: number;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const OUTER_SPACE = /^[ \t]+|[ \t]+$/g;
/** Visible characters, space, tab and bytes beyond ASCII (RFC 9110 §5.5). */
const SAFE_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const MAX_HEADERS = 128;
/** As much as the head of a program's answer may take. */
export const MAX_HEAD_BYTES = 32_768;

/**
 * Parses a program's standard output (RFC 3875 §6): header lines ended by LF or CRLF, an empty line, the body.
 * `Status: 404 Not Found` gives the status, `Location` without one means 302, neither means 200. Null: not a CGI response.
 */
export function cgiResponse(output: Buffer, length: number): CgiResponse | null {
  const lines: string[] = [];
  let status = 0;
  let location = false;
  let at = 0;
  for (;;) {
    const end = output.indexOf(10, at);
    if (end < 0 || end >= length || end >= MAX_HEAD_BYTES || lines.length > MAX_HEADERS) return null;
    const line = output.toString('latin1', at, end > at && output[end - 1] === 13 ? end - 1 : end);
    at = end + 1;
    if (line === '') break;
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    // Not trim(): a text in UTF-8 may end with the byte 0xA0, which trim takes for a space.
    const value = line.slice(colon + 1).replace(OUTER_SPACE, '');
    if (!TOKEN.test(name) || !SAFE_VALUE.test(value)) return null;
    const lower = name.toLowerCase();
    if (lower === 'status') {
      const digits = /^([2-5]\d\d)(?: |$)/.exec(value);
      if (digits === null) return null;
      status = Number(digits[1]);
    } else if (!GATEWAY_FIELDS.has(lower)) {
      location ||= lower === 'location';
      lines.push(`${name}: ${value}\r\n`);
    }
  }
  if (status === 0) status = location ? 302 : 200;
  return { status, headers: Buffer.from(lines.join(''), 'latin1'), bodyStart: at };
}
