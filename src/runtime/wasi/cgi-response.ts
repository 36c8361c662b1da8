/** A CGI response taken apart: where its body lies in the program's output, and its header lines as HTTP/1.1 writes them. */
export interface CgiResponse {
  readonly status: number;
  readonly headers: Buffer;
  readonly bodyStart: number;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What the gateway itself says. */
const OWN = new Set([
  'content-length',
  'connection',
  'transfer-encoding',
  'date',
  'keep-alive',
  'upgrade',
  'trailer',
]);
const MAX_HEAD_BYTES = 65_536;

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
    if (end < 0 || end >= length || end > MAX_HEAD_BYTES) return null;
    const line = output.toString('latin1', at, end > at && output[end - 1] === 13 ? end - 1 : end);
    at = end + 1;
    if (line === '') break;
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    const value = line.slice(colon + 1).trim();
    // eslint-disable-next-line no-control-regex -- control characters are what this looks for
    if (!TOKEN.test(name) || /[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) return null;
    const lower = name.toLowerCase();
    if (lower === 'status') {
      const digits = /^([2-5]\d\d)(?: |$)/.exec(value);
      if (digits === null) return null;
      status = Number(digits[1]);
    } else if (!OWN.has(lower)) {
      location ||= lower === 'location';
      lines.push(`${name}: ${value}\r\n`);
    }
  }
  if (status === 0) status = location ? 302 : 200;
  return { status, headers: Buffer.from(lines.join(''), 'latin1'), bodyStart: at };
}
