import { CHARACTERS, COMMA, SPACE, TAB, TOKEN, equalsIgnoreCase, lowerCase } from './characters.ts';
import { CONNECTION, HOP_BY_HOP, OTHER } from './fields.ts';
import type { RequestHead } from './head.ts';
import { BAD_REQUEST } from './rejection.ts';

const close = lowerCase('close');
const keepAlive = lowerCase('keep-alive');

/** Fields that one request may declare hop-by-hop; more is nobody's need and costs a comparison with each field. */
const MAX_NOMINATIONS = 16;

/**
 * Reads the Connection fields (RFC 9110 §7.6.1): whether the connection stays, and which other fields are for this
 * hop only. A field that the gateway itself understands cannot be nominated away.
 * Returns 0 or a rejection.
 */
export function readConnectionFields(bytes: Uint8Array, head: RequestHead): number {
  let wantsClose = false;
  let wantsKeepAlive = false;
  let nominations = 0;
  for (let row = 0; row < head.headerCount; row++) {
    if (head.kinds[row] !== CONNECTION) continue;
    const end = head.valueEnd(row);
    let i = head.valueStart(row);
    while (i < end) {
      const start = i;
      while (i < end && (CHARACTERS[bytes[i]] & TOKEN) !== 0) i++;
      if (i > start) {
        if (equalsIgnoreCase(bytes, start, i, close)) wantsClose = true;
        else if (equalsIgnoreCase(bytes, start, i, keepAlive)) wantsKeepAlive = true;
        else if (++nominations > MAX_NOMINATIONS) return BAD_REQUEST;
        else nominate(bytes, start, i, head);
      }
      while (i < end && (bytes[i] === SPACE || bytes[i] === TAB)) i++;
      if (i === end) break;
      if (bytes[i++] !== COMMA) return BAD_REQUEST;
      while (i < end && (bytes[i] === SPACE || bytes[i] === TAB)) i++;
    }
  }
  head.keepAlive = !wantsClose && (head.minorVersion === 1 || wantsKeepAlive);
  return 0;
}

function nominate(bytes: Uint8Array, start: number, end: number, head: RequestHead): void {
  for (let row = 0; row < head.headerCount; row++) {
    const nameStart = head.nameStart(row);
    if (head.kinds[row] !== OTHER || head.nameEnd(row) - nameStart !== end - start) continue;
    let i = start;
    while (i < end && lower(bytes[i]) === lower(bytes[nameStart + i - start])) i++;
    if (i === end) head.kinds[row] = HOP_BY_HOP;
  }
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}
