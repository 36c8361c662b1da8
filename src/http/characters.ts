/**
 * Which bytes may stand where (RFC 9110 §5.6.2 tokens, §5.5 field values; RFC 3986 for targets), one bit a set.
 * A table look-up a byte is what the scanners spend their time on.
 */
export const TOKEN = 1;
/** Field values: visible ASCII, space, tab and obs-text. */
export const FIELD = 2;
/** RFC 3986 pchar and `/`. `%` is in: path.ts checks what follows. `^` and `|` too, which browsers send unescaped. */
export const PATH = 4;
/** What browsers leave unescaped in a query (WHATWG URL): all visible ASCII but `"`, `#`, `<` and `>`. */
export const QUERY = 8;
/** reg-name, IPv6 brackets and the colon: the shape of `host[:port]` is checked apart. */
export const AUTHORITY = 16;
export const DIGIT = 32;
export const HEX = 64;
/** RFC 3986 §2.3: never needs an escape. */
export const UNRESERVED = 128;

export const CHARACTERS = new Uint8Array(256);

function add(set: number, characters: string): void {
  for (let i = 0; i < characters.length; i++) CHARACTERS[characters.charCodeAt(i)] |= set;
}

const digits = '0123456789';
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const subDelimiters = "!$&'()*+,;=";
add(TOKEN, `${digits}${letters}!#$%&'*+-.^_\`|~`);
add(PATH, `${digits}${letters}-._~%${subDelimiters}:@/^|`);
add(AUTHORITY, `${digits}${letters}-._~%${subDelimiters}:[]`);
add(DIGIT, digits);
add(HEX, `${digits}abcdefABCDEF`);
add(UNRESERVED, `${digits}${letters}-._~`);
for (let byte = 0; byte < 256; byte++) {
  if (byte === 0x09 || (byte >= 0x20 && byte !== 0x7f)) CHARACTERS[byte] |= FIELD;
  if (byte > 0x20 && byte < 0x7f && !'"#<>'.includes(String.fromCharCode(byte))) CHARACTERS[byte] |= QUERY;
}

export const LF = 0x0a;
export const CR = 0x0d;
export const TAB = 0x09;
export const SPACE = 0x20;
export const PERCENT = 0x25;
export const ASTERISK = 0x2a;
export const COMMA = 0x2c;
export const DOT = 0x2e;
export const SLASH = 0x2f;
export const ZERO = 0x30;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const QUESTION = 0x3f;

/** The value of a hexadecimal digit. */
export function hexValue(byte: number): number {
  return byte <= 0x39 ? byte - ZERO : (byte | 0x20) - 0x57;
}

/** Bytes of an ASCII literal in lower case, for `equalsIgnoreCase`. */
export function lowerCase(literal: string): Uint8Array {
  return Uint8Array.from(literal.toLowerCase(), (character) => character.charCodeAt(0));
}

/**
 * Whether bytes[start, end) is the literal, letters in either case. For literals of letters, digits and `-`, and bytes
 * that are known to be of the TOKEN or FIELD set: there, setting bit 5 changes letters only.
 */
export function equalsIgnoreCase(bytes: Uint8Array, start: number, end: number, lower: Uint8Array): boolean {
  if (end - start !== lower.length) return false;
  for (let i = 0; i < lower.length; i++) {
    if ((bytes[start + i] | 0x20) !== lower[i]) return false;
  }
  return true;
}
