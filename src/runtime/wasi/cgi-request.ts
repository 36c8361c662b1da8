import { METHODS } from '../../model/method.ts';

/** The environment of one CGI request, and where its body lies in the frame. */
export interface CgiRequest {
  /** `NAME=value` byte strings. */
  readonly environment: Buffer[];
  readonly bodyStart: number;
  readonly bodyEnd: number;
}

/**
 * Header fields that never become variables: Proxy (CVE-2016-5385, "httpoxy": programs take HTTP_PROXY for their own
 * configuration) and Content-*, which have variables of their own.
 */
const WITHHELD: ReadonlySet<string> = new Set(['PROXY', 'CONTENT_TYPE', 'CONTENT_LENGTH']);
const SIGNED_IN_WITHHELD: ReadonlySet<string> = new Set([...WITHHELD, 'AUTHORIZATION']);

/**
 * `extra` is the function's `env`; no header field can replace what is in there.
 * Request frame (docs/reference/guest-abi.md) → CGI/1.1 meta-variables (RFC 3875 §4.1). The frame is the host's own, so
 * it is trusted to be well-formed; its texts are the client's, and are not.
 */
export function cgiRequest(frame: Buffer, extra: Readonly<Record<string, string>>): CgiRequest {
  const text = (at: number) => {
    const start = frame.readUInt32LE(at);
    return frame.toString('latin1', start, start + frame.readUInt32LE(at + 4));
  };
  const bodyStart = frame.readUInt32LE(28);
  const bodyLength = frame.readUInt32LE(32);
  const path = text(4);
  // All texts are byte strings here, and values of the configuration are UTF-8.
  const own = Object.entries(extra).map(
    ([name, value]) => [name, Buffer.from(value).toString('latin1')] as const,
  );
  const variables = new Map<string, string>(own);
  const headers = collectHeaders(frame);
  // A credential that was verified is of no use to the program (RFC 3875 §4.1.18 wants it withheld).
  const withheld = frame.readUInt32LE(24) > 0 ? SIGNED_IN_WITHHELD : WITHHELD;
  for (const [name, value] of headers) {
    if (!withheld.has(name) && !variables.has(`HTTP_${name}`)) variables.set(`HTTP_${name}`, value);
  }
  const host = headers.get('HOST') ?? '';
  const port = /:(\d+)$/.exec(host);
  variables.set('GATEWAY_INTERFACE', 'CGI/1.1');
  variables.set('SERVER_PROTOCOL', 'HTTP/1.1');
  variables.set('SERVER_SOFTWARE', 'mayfly');
  variables.set('SERVER_NAME', port === null ? host : host.slice(0, port.index));
  variables.set('SERVER_PORT', port?.[1] ?? '80');
  variables.set('REQUEST_METHOD', METHODS[frame[1] as number] ?? '');
  variables.set('SCRIPT_NAME', '');
  variables.set('PATH_INFO', decode(path));
  variables.set('QUERY_STRING', text(12));
  const type = headers.get('CONTENT_TYPE');
  if (type !== undefined) variables.set('CONTENT_TYPE', type);
  if (bodyLength > 0) variables.set('CONTENT_LENGTH', String(bodyLength));
  addUser(frame, variables);
  const environment: Buffer[] = [];
  for (const [name, value] of variables) {
    // A NUL would end the variable early and let the rest pass for another one.
    if (!value.includes('\0')) environment.push(Buffer.from(`${name}=${value}`, 'latin1'));
  }
  return { environment, bodyStart, bodyEnd: bodyStart + bodyLength };
}

/** Names as variables (`X-Request-Id` → `X_REQUEST_ID`); fields that occur twice are joined as RFC 9110 §5.3 says. */
function collectHeaders(frame: Buffer): Map<string, string> {
  const headers = new Map<string, string>();
  const count = frame.readUInt16LE(2);
  for (let index = 0; index < count; index++) {
    const at = 40 + index * 16;
    const read = (offset: number) => {
      const start = frame.readUInt32LE(at + offset);
      return frame.toString('latin1', start, start + frame.readUInt32LE(at + offset + 4));
    };
    const field = read(0);
    // An underscore would let `x_user` pass for `x-user`, as both become X_USER.
    if (field.includes('_')) continue;
    const name = field.toUpperCase().replaceAll('-', '_');
    const value = read(8);
    const previous = headers.get(name);
    headers.set(
      name,
      previous === undefined ? value : `${previous}${name === 'COOKIE' ? '; ' : ', '}${value}`,
    );
  }
  return headers;
}

/** REMOTE_USER is the verified token's subject; MAYFLY_USER all its claims as JSON. */
function addUser(frame: Buffer, variables: Map<string, string>): void {
  const length = frame.readUInt32LE(24);
  if (length === 0) return;
  const start = frame.readUInt32LE(20);
  const bytes = frame.subarray(start, start + length);
  const { sub } = JSON.parse(bytes.toString('utf8')) as { sub?: unknown };
  variables.set('AUTH_TYPE', 'Bearer');
  variables.set('MAYFLY_USER', bytes.toString('latin1'));
  if (typeof sub === 'string') variables.set('REMOTE_USER', Buffer.from(sub).toString('latin1'));
}

/** Percent-decoding byte by byte, whatever the encoding of the text. */
function decode(path: string): string {
  return path.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(parseInt(digits, 16)),
  );
}
