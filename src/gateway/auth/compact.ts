/** A signed token in compact form (RFC 7515, 7.1): three base64url parts. Offsets into the bytes it came in. */
export interface CompactToken {
  readonly start: number;
  readonly firstDot: number;
  readonly secondDot: number;
  readonly end: number;
}

export interface TokenHeader {
  readonly alg: string;
  readonly kid: string | null;
}

const DOT = 46;
const PART = /^[\w-]+$/;

/** Where the parts are; null when there are not exactly three, none of them empty. */
export function splitToken(bytes: Buffer, start: number, end: number): CompactToken | null {
  const firstDot = bytes.indexOf(DOT, start);
  if (firstDot <= start || firstDot >= end) return null;
  const secondDot = bytes.indexOf(DOT, firstDot + 1);
  if (secondDot <= firstDot + 1 || secondDot >= end - 1) return null;
  const third = bytes.indexOf(DOT, secondDot + 1);
  return third >= 0 && third < end ? null : { start, firstDot, secondDot, end };
}

/** Decodes one base64url part (no padding, no other characters), or null. */
export function decodePart(text: string): Buffer | null {
  return text.length % 4 !== 1 && PART.test(text) ? Buffer.from(text, 'base64url') : null;
}

/**
 * The protected header, or null when it is none that we accept. `crit` is refused: it names extensions that must be
 * understood (RFC 7515, 4.1.11), and there is none that we do.
 */
export function parseHeader(text: string): TokenHeader | null {
  const bytes = decodePart(text);
  if (bytes === null) return null;
  let header: unknown;
  try {
    header = JSON.parse(utf8.decode(bytes));
  } catch {
    return null;
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) return null;
  const { alg, kid, crit, b64 } = header as Record<string, unknown>;
  if (typeof alg !== 'string' || crit !== undefined || b64 !== undefined) return null;
  if (kid !== undefined && typeof kid !== 'string') return null;
  return { alg, kid: kid ?? null };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
