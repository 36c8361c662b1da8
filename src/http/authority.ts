import { AUTHORITY, CHARACTERS, COLON, DIGIT, HEX, PERCENT, UNRESERVED } from './characters.ts';

// A module's own constants are folded into the machine code; imported ones are loaded at every byte.
const characters = CHARACTERS;
const digit = DIGIT;
const unreserved = UNRESERVED;

const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/**
 * Checks `uri-host [":" port]` (RFC 3986 §3.2.2) in bytes[start, end): where the host ends and `:port` may begin,
 * or −1. An empty host and user information are refused.
 */
export function scanAuthority(bytes: Uint8Array, start: number, end: number): number {
  if (start === end) return -1;
  const hostEnd =
    bytes[start] === OPEN_BRACKET ? ipLiteralEnd(bytes, start, end) : nameEnd(bytes, start, end);
  if (hostEnd <= start) return -1;
  if (hostEnd === end) return hostEnd;
  if (bytes[hostEnd] !== COLON || end - hostEnd > 6) return -1;
  for (let i = hostEnd + 1; i < end; i++) if ((characters[bytes[i]] & digit) === 0) return -1;
  return hostEnd;
}

function nameEnd(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end && (characters[bytes[i]] & unreserved) !== 0) i++; // nearly always all of it
  for (; i < end && bytes[i] !== COLON; i++) {
    const byte = bytes[i];
    if ((CHARACTERS[byte] & AUTHORITY) === 0 || byte === OPEN_BRACKET || byte === CLOSE_BRACKET) return -1;
    if (byte !== PERCENT) continue;
    if (i + 2 >= end || (CHARACTERS[bytes[i + 1]] & CHARACTERS[bytes[i + 2]] & HEX) === 0) return -1;
  }
  return i;
}

/** Loose on purpose: an address with wrong groups only names a host that nobody routed. */
function ipLiteralEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start + 1; i < end; i++) {
    const byte = bytes[i];
    if (byte === CLOSE_BRACKET) return i === start + 1 ? -1 : i + 1;
    if ((CHARACTERS[byte] & AUTHORITY) === 0 || byte === PERCENT || byte === OPEN_BRACKET) return -1;
  }
  return -1;
}
