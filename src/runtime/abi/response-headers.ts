/** Fields that are the gateway's to write: framing, the connection, the date. A guest's own are left out. */
export const GATEWAY_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Blocks up to this size are remembered. */
const MEMO_BYTES = 4096;

const COLON = 0x3a;
const SPACE = 0x20;
const CR = 0x0d;
const LF = 0x0a;

/**
 * Turns the header block of a response frame into HTTP/1.1 header lines. Functions tend to answer with the same headers
 * again and again, so the last block is remembered: the same bytes need neither check nor copy.
 */
export class ResponseHeaderBlock {
  /** The lines of the last block that was read: `name: value CR LF` each. */
  lines: Buffer = Buffer.alloc(0);
  #memo: Buffer = Buffer.alloc(0);
  /** −1: nothing remembered. */
  #memoLength = -1;
  #memoCount = 0;

  /** Reads `count` entries that must fill `bytes[start..end)` exactly. Null: `lines` is what they say. */
  read(
    bytes: Buffer,
    start: number,
    end: number,
    count: number,
  ): 'malformed-headers' | 'unsafe-header' | null {
    if (this.#isMemo(bytes, start, end, count)) return null;
    const length = end - start;
    // A line is exactly as long as its entry: ": " and CR LF take the place of two 16-bit lengths.
    const lines = Buffer.allocUnsafeSlow(length);
    let from = start;
    let to = 0;
    for (let i = 0; i < count; i++) {
      if (from + 4 > end) return 'malformed-headers';
      const nameLength = bytes[from] | (bytes[from + 1] << 8);
      const valueLength = bytes[from + 2] | (bytes[from + 3] << 8);
      const name = from + 4;
      const value = name + nameLength;
      from = value + valueLength;
      if (nameLength === 0 || from > end) return 'malformed-headers';
      if (!isToken(bytes, name, value) || !isSafeValue(bytes, value, from)) return 'unsafe-header';
      if (GATEWAY_FIELDS.has(bytes.toString('latin1', name, value).toLowerCase())) continue;
      to = writeLine(lines, to, bytes, name, value, from);
    }
    if (from !== end) return 'malformed-headers';
    this.lines = lines.subarray(0, to);
    this.#remember(bytes, start, end, count);
    return null;
  }

  #isMemo(bytes: Buffer, start: number, end: number, count: number): boolean {
    const length = end - start;
    if (length !== this.#memoLength || count !== this.#memoCount) return false;
    const memo = this.#memo;
    for (let i = 0; i < length; i++) if (memo[i] !== bytes[start + i]) return false;
    return true;
  }

  #remember(bytes: Buffer, start: number, end: number, count: number): void {
    const length = end - start;
    this.#memoLength = length > MEMO_BYTES ? -1 : length;
    this.#memoCount = count;
    if (length > MEMO_BYTES) return;
    // There is one of these for each instance, and there may be thousands: it takes no more than it needs.
    if (this.#memo.length < length) this.#memo = Buffer.allocUnsafeSlow(length);
    bytes.copy(this.#memo, 0, start, end);
  }
}

function writeLine(
  lines: Buffer,
  at: number,
  bytes: Buffer,
  name: number,
  value: number,
  end: number,
): number {
  let to = at + bytes.copy(lines, at, name, value);
  lines[to++] = COLON;
  lines[to++] = SPACE;
  to += bytes.copy(lines, to, value, end);
  lines[to++] = CR;
  lines[to++] = LF;
  return to;
}

/** 1: may stand in a field name (RFC 9110 §5.6.2, tchar). */
const TOKEN = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  TOKEN[char.charCodeAt(0)] = 1;
}

function isToken(bytes: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (TOKEN[bytes[i]] === 0) return false;
  return true;
}

/** Visible characters, space, tab and bytes beyond ASCII (RFC 9110 §5.5); no CR, LF, NUL or other controls. */
function isSafeValue(bytes: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const byte = bytes[i];
    if ((byte < 0x20 && byte !== 0x09) || byte === 0x7f) return false;
  }
  return true;
}
