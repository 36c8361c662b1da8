import { ABI_VERSION, RESPONSE_HEAD_BYTES } from './layout.ts';
import { ResponseHeaderBlock } from './response-headers.ts';

/** Why a guest's answer is not a response. The caller sees a 500 (`too-large`: 502), the function's log this word. */
export type ResponseRefusal =
  /** Address and length reach beyond the guest's memory. */
  | 'outside-memory'
  /** Shorter than its own head, or its parts do not add up to its length. */
  | 'wrong-length'
  | 'wrong-version'
  /** Not 200 to 599. */
  | 'wrong-status'
  | 'reserved-not-zero'
  /** A header block that does not hold what it says, too many or too large headers. */
  | 'malformed-headers'
  /** A name that is not an RFC 9110 token, or a value with control characters. */
  | 'unsafe-header'
  | 'too-large';

export interface ResponseLimits {
  readonly maxBodyBytes: number;
  readonly maxHeaders: number;
  readonly maxHeaderBytes: number;
}

export const DEFAULT_HEADER_LIMITS = { maxHeaders: 128, maxHeaderBytes: 32 * 1024 };

/**
 * Reads the response frames of one function. The guest is hostile: every number is checked before it is used, and
 * nothing outside the frame is ever read. After `read` returned null the fields describe the response.
 */
export class ResponseReader {
  status = 0;
  /** Header lines as HTTP/1.1 writes them, without the final empty line. */
  headers: Buffer;
  /** Range of the body in the guest's memory. */
  bodyStart = 0;
  bodyEnd = 0;
  readonly #limits: ResponseLimits;
  readonly #block = new ResponseHeaderBlock();

  constructor(limits: ResponseLimits) {
    this.#limits = limits;
    this.headers = this.#block.lines;
  }

  /** `bytes` is the guest's whole memory; the frame is said to lie at `ptr` and to be `length` bytes long (both unsigned). */
  read(bytes: Buffer, ptr: number, length: number): ResponseRefusal | null {
    if (ptr < 0 || length < 0 || ptr + length > bytes.length) return 'outside-memory';
    if (length < RESPONSE_HEAD_BYTES) return 'wrong-length';
    if (bytes[ptr] !== ABI_VERSION) return 'wrong-version';
    const headersLength = word(bytes, ptr + 8);
    const bodyLength = word(bytes, ptr + 12);
    if (bodyLength > this.#limits.maxBodyBytes) return 'too-large';
    if (RESPONSE_HEAD_BYTES + headersLength + bodyLength !== length) return 'wrong-length';
    if ((bytes[ptr + 1] | bytes[ptr + 6] | bytes[ptr + 7]) !== 0) return 'reserved-not-zero';
    const status = half(bytes, ptr + 2);
    if (status < 200 || status > 599) return 'wrong-status';
    const count = half(bytes, ptr + 4);
    if (count > this.#limits.maxHeaders || headersLength > this.#limits.maxHeaderBytes)
      return 'malformed-headers';

    const headersStart = ptr + RESPONSE_HEAD_BYTES;
    const refusal = this.#block.read(bytes, headersStart, headersStart + headersLength, count);
    if (refusal !== null) return refusal;
    this.status = status;
    this.headers = this.#block.lines;
    this.bodyStart = headersStart + headersLength;
    this.bodyEnd = hasNoContent(status) ? this.bodyStart : this.bodyStart + bodyLength;
    return null;
  }
}

/** Statuses whose responses end with their head (RFC 9110 §6.4.1, §15.3.6): a body would be read as the next response. */
function hasNoContent(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

function half(bytes: Buffer, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8);
}

function word(bytes: Buffer, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}
