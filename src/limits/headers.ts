import type { RateLimit } from './limit.ts';

const DIGIT_0 = 48;

/**
 * The rate-limit response fields of draft-ietf-httpapi-ratelimit-headers (revision 11) for one limit, written as bytes:
 *
 *     RateLimit-Policy: "default";q=6200;w=60      the most that passes in any 60 s: burst + rate × window
 *     RateLimit: "default";r=199;t=1               199 pass now, no more than those within the next second
 *     Retry-After: 1                               on a refusal; never earlier than `t` (section 6 of the draft)
 *
 * Everything constant is rendered once per limit; a request costs one copy and a few digits.
 */
export class RateLimitHeaders {
  /** Bytes that `write` needs at most. */
  readonly maxBytes: number;
  readonly #prefix: Buffer;
  readonly #retryAfter = Buffer.from('\r\nRetry-After: ', 'latin1');

  constructor(limit: RateLimit) {
    const name = structuredString(limit.spec.name);
    this.#prefix = Buffer.from(
      `RateLimit-Policy: ${name};q=${limit.quota};w=${limit.windowSeconds}\r\nRateLimit: ${name};r=`,
      'latin1',
    );
    this.maxBytes = this.#prefix.length + ';t='.length + this.#retryAfter.length + '\r\n'.length + 3 * 16;
  }

  /** Fields of an accepted request. Returns the offset after them. */
  writeAccepted(target: Buffer, offset: number, remaining: number, retryAfterMs: number): number {
    const at = this.#writeFields(target, offset, remaining, Math.ceil(retryAfterMs / 1000));
    return endLine(target, at);
  }

  /** Fields of a refused request (429), with Retry-After. Returns the offset after them. */
  writeRefused(target: Buffer, offset: number, retryAfterMs: number): number {
    const seconds = retryAfterSeconds(retryAfterMs);
    let at = this.#writeFields(target, offset, 0, seconds);
    at = copy(this.#retryAfter, target, at);
    at = writeNumber(target, at, seconds);
    return endLine(target, at);
  }

  #writeFields(target: Buffer, offset: number, remaining: number, seconds: number): number {
    let at = copy(this.#prefix, target, offset);
    at = writeNumber(target, at, remaining);
    // `;t=`, byte by byte: cheaper than a copy of three.
    target[at++] = 0x3b;
    target[at++] = 0x74;
    target[at++] = 0x3d;
    return writeNumber(target, at, seconds);
  }
}

/** Whole seconds for Retry-After (RFC 9110, 10.2.3): rounded up, at least one. */
export function retryAfterSeconds(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1000));
}

/** A structured-fields String (RFC 9651, 3.3.3): printable ASCII only, quotes and backslashes escaped. */
function structuredString(text: string): string {
  if (!/^[\x20-\x7e]*$/.test(text)) throw new RangeError(`Cannot name a rate limit "${text}": ASCII only`);
  return `"${text.replaceAll(/["\\]/g, (mark) => `\\${mark}`)}"`;
}

function endLine(target: Buffer, offset: number): number {
  target[offset] = 0x0d;
  target[offset + 1] = 0x0a;
  return offset + 2;
}

function copy(bytes: Buffer, target: Buffer, offset: number): number {
  target.set(bytes, offset);
  return offset + bytes.length;
}

/** Decimal digits of a whole number ≥ 0. */
function writeNumber(target: Buffer, offset: number, value: number): number {
  let length = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) length++;
  let rest = value;
  for (let at = offset + length - 1; at >= offset; at--) {
    const tenth = Math.floor(rest / 10);
    target[at] = DIGIT_0 + rest - tenth * 10;
    rest = tenth;
  }
  return offset + length;
}
