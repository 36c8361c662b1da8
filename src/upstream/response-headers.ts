/** Header fields of an upstream, checked as those of a guest are: an upstream is no more trusted than a function. */
import { DEFAULT_HEADER_LIMITS } from '../runtime/abi/response-frame.ts';
import { GATEWAY_FIELDS } from '../runtime/abi/response-headers.ts';

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** RFC 9110 §5.5: visible characters, space, tab, and bytes beyond ASCII. */
// oxlint-disable-next-line no-control-regex
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** The gateway writes its own. */
const REQUEST_ID = 'x-request-id';

/** As lines with CRLF. `raw`: names and values in turn. Null: they cannot be passed on. */
export function headerLines(raw: readonly (Buffer | string)[]): Buffer | null {
  if (raw.length / 2 > DEFAULT_HEADER_LIMITS.maxHeaders) return null;
  const fields = pairs(raw);
  const dropped = namedByConnection(fields);
  let lines = '';
  for (const [name, value] of fields) {
    if (!TOKEN.test(name) || !VALUE.test(value)) return null;
    const lower = name.toLowerCase();
    if (GATEWAY_FIELDS.has(lower) || lower === REQUEST_ID || dropped.has(lower)) continue;
    lines += `${name}: ${value}\r\n`;
  }
  return lines.length > DEFAULT_HEADER_LIMITS.maxHeaderBytes ? null : Buffer.from(lines, 'latin1');
}

/** The declared length of a body; null: none, or not one number. */
export function contentLength(raw: readonly (Buffer | string)[]): number | null {
  const declared = pairs(raw).find(([name]) => name.toLowerCase() === 'content-length')?.[1];
  return declared !== undefined && /^[0-9]{1,15}$/.test(declared) ? Number(declared) : null;
}

function pairs(raw: readonly (Buffer | string)[]): [name: string, value: string][] {
  const fields: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) fields.push([latin1(raw[i]), latin1(raw[i + 1])]);
  return fields;
}

function latin1(part: Buffer | string | undefined): string {
  return typeof part === 'string' ? part : (part?.toString('latin1') ?? '');
}

/** RFC 9110 §7.6.1: what Connection names is about the connection. */
function namedByConnection(fields: readonly (readonly [string, string])[]): ReadonlySet<string> {
  const named = fields
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.split(','))
    .map((name) => name.trim().toLowerCase());
  return new Set(named);
}
