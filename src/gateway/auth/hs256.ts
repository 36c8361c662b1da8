import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import type { CompactToken } from './compact.ts';

/** Characters of an HMAC-SHA-256 value in base64url. */
const SIGNATURE_LENGTH = 43;

/**
 * HS256 (RFC 7518, 3.2) on the thread itself, straight from the request's bytes: about a tenth of what the detour over
 * WebCrypto's thread pool costs, which matters when 100,000 people arrive with a token each. Compared as text, so the
 * one canonical encoding of a signature is accepted and no other.
 */
export class Hs256Verifier {
  readonly #key: KeyObject;

  constructor(secret: Uint8Array) {
    this.#key = createSecretKey(secret);
  }

  isSigned(bytes: Buffer, token: CompactToken): boolean {
    const { start, secondDot, end } = token;
    if (end - secondDot - 1 !== SIGNATURE_LENGTH) return false;
    const expected = createHmac('sha256', this.#key)
      .update(bytes.subarray(start, secondDot))
      .digest('base64url');
    return timingSafeEqual(Buffer.from(expected, 'latin1'), bytes.subarray(secondDot + 1, end));
  }
}
