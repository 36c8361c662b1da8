import { CHARACTERS, COLON, CR, FIELD, HEX, LF, SEMICOLON, TOKEN, hexValue } from './characters.ts';
import { fieldKind } from './field-names.ts';
import { OTHER } from './fields.ts';
import { BAD_REQUEST, CONTENT_TOO_LARGE, HEADERS_TOO_LARGE } from './rejection.ts';

/** Chunk extensions and trailer fields are read and dropped; a body may carry so many bytes of each. */
const MAX_EXTENSION_BYTES = 1024;
const MAX_TRAILER_BYTES = 8192;
const MAX_SIZE_DIGITS = 16;

/** `transfer-encoding` */
const LONGEST_KNOWN_NAME = 17;

const SIZE_FIRST = 0;
const SIZE = 1;
const EXTENSION_NAME_FIRST = 2;
const EXTENSION_NAME = 3;
const EXTENSION_VALUE_FIRST = 4;
const EXTENSION_VALUE = 5;
const SIZE_LF = 6;
const DATA = 7;
const DATA_CR = 8;
const DATA_LF = 9;
const TRAILER_START = 10;
const TRAILER_NAME = 11;
const TRAILER_VALUE = 12;
const TRAILER_LF = 13;
const END_LF = 14;
const DONE = 15;

const EQUALS = 0x3d;

/**
 * A chunked body (RFC 9112 §7.1), decoded as it arrives, split anywhere. Strict: sizes are hexadecimal digits and
 * nothing else, every line ends in CRLF, nothing stands between a chunk's data and its CRLF.
 */
export class ChunkedDecoder {
  /** Where reading stopped: after the body when done. */
  sourceOffset = 0;
  /** Where the decoded bytes end in the target. */
  targetOffset = 0;
  #state = SIZE_FIRST;
  #remaining = 0;
  #digits = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;
  #accepted = 0;
  #maxBytes = 0;
  /** The trailer field's name, as far as it could be one that the gateway knows. */
  readonly #name = new Uint8Array(LONGEST_KNOWN_NAME);
  #nameLength = 0;

  start(maxBytes: number): void {
    this.#state = SIZE_FIRST;
    this.#remaining = 0;
    this.#digits = 0;
    this.#extensionBytes = 0;
    this.#trailerBytes = 0;
    this.#accepted = 0;
    this.#maxBytes = maxBytes;
  }

  /**
   * Decodes source[start, end) into `target` from `targetStart` on, where `end - start` bytes always suffice. Source
   * and target may be the same buffer when targetStart ≤ start.
   * Returns 1 when the body is complete, 0 when bytes are missing, or a rejection.
   */
  decode(source: Buffer, start: number, end: number, target: Buffer, targetStart: number): number {
    let i = start;
    let out = targetStart;
    while (i < end) {
      if (this.#state === DATA) {
        const length = Math.min(this.#remaining, end - i);
        if (source !== target || i !== out) source.copy(target, out, i, i + length);
        out += length;
        i += length;
        this.#remaining -= length;
        if (this.#remaining === 0) this.#state = DATA_CR;
        continue;
      }
      const rejection = this.#step(source[i++]);
      if (rejection < 0) return rejection;
      if (this.#state === DONE) break;
    }
    this.sourceOffset = i;
    this.targetOffset = out;
    return this.#state === DONE ? 1 : 0;
  }

  /** One byte of framing. 0 or a rejection. */
  #step(byte: number): number {
    switch (this.#state) {
      case SIZE_FIRST:
        if ((CHARACTERS[byte] & HEX) === 0) return BAD_REQUEST;
        this.#remaining = hexValue(byte);
        this.#digits = 1;
        this.#state = SIZE;
        return 0;
      case SIZE:
        return this.#sizeByte(byte);
      case EXTENSION_NAME_FIRST:
      case EXTENSION_NAME:
      case EXTENSION_VALUE_FIRST:
      case EXTENSION_VALUE:
        return this.#extensionByte(byte);
      case SIZE_LF:
        return byte === LF ? this.#beginChunk() : BAD_REQUEST;
      case DATA_CR:
        this.#state = DATA_LF;
        return byte === CR ? 0 : BAD_REQUEST;
      case DATA_LF:
        this.#state = SIZE_FIRST;
        return byte === LF ? 0 : BAD_REQUEST;
      case END_LF:
        this.#state = DONE;
        return byte === LF ? 0 : BAD_REQUEST;
      default:
        return this.#trailerByte(byte);
    }
  }

  #sizeByte(byte: number): number {
    if ((CHARACTERS[byte] & HEX) !== 0) {
      if (++this.#digits > MAX_SIZE_DIGITS) return BAD_REQUEST;
      this.#remaining = this.#remaining * 16 + hexValue(byte);
      return 0;
    }
    if (byte === CR) this.#state = SIZE_LF;
    else if (byte === SEMICOLON) this.#state = EXTENSION_NAME_FIRST;
    else return BAD_REQUEST;
    return 0;
  }

  /** `;name` or `;name=value`. White space and quoted values are refused: nobody needs them, and they have hidden line ends. */
  #extensionByte(byte: number): number {
    if (++this.#extensionBytes > MAX_EXTENSION_BYTES) return BAD_REQUEST;
    if ((CHARACTERS[byte] & TOKEN) !== 0) {
      if (this.#state === EXTENSION_NAME_FIRST) this.#state = EXTENSION_NAME;
      else if (this.#state === EXTENSION_VALUE_FIRST) this.#state = EXTENSION_VALUE;
      return 0;
    }
    if (this.#state !== EXTENSION_NAME && this.#state !== EXTENSION_VALUE) return BAD_REQUEST;
    if (byte === CR) this.#state = SIZE_LF;
    else if (byte === SEMICOLON) this.#state = EXTENSION_NAME_FIRST;
    else if (byte === EQUALS && this.#state === EXTENSION_NAME) this.#state = EXTENSION_VALUE_FIRST;
    else return BAD_REQUEST;
    return 0;
  }

  #beginChunk(): number {
    this.#accepted += this.#remaining;
    if (this.#accepted > this.#maxBytes) return CONTENT_TOO_LARGE;
    this.#state = this.#remaining === 0 ? TRAILER_START : DATA;
    return 0;
  }

  /**
   * Trailer fields obey the same grammar as header fields, then are forgotten. Those that the gateway itself reads
   * have no place here (RFC 9110 §6.5.1) and are refused: some parser behind us might merge them into the head.
   */
  #trailerByte(byte: number): number {
    if (++this.#trailerBytes > MAX_TRAILER_BYTES) return HEADERS_TOO_LARGE;
    switch (this.#state) {
      case TRAILER_START:
        this.#nameLength = 0;
        if (byte === CR) this.#state = END_LF;
        else if ((CHARACTERS[byte] & TOKEN) !== 0) this.#beginTrailer(byte);
        else return BAD_REQUEST;
        return 0;
      case TRAILER_NAME:
        if (byte === COLON) return this.#endTrailerName();
        if ((CHARACTERS[byte] & TOKEN) === 0) return BAD_REQUEST;
        this.#addToName(byte);
        return 0;
      case TRAILER_VALUE:
        if (byte === CR) this.#state = TRAILER_LF;
        else if ((CHARACTERS[byte] & FIELD) === 0) return BAD_REQUEST;
        return 0;
      default:
        this.#state = TRAILER_START;
        return byte === LF ? 0 : BAD_REQUEST;
    }
  }

  #beginTrailer(byte: number): void {
    this.#state = TRAILER_NAME;
    this.#addToName(byte);
  }

  #addToName(byte: number): void {
    if (this.#nameLength < LONGEST_KNOWN_NAME) this.#name[this.#nameLength] = byte;
    this.#nameLength++;
  }

  #endTrailerName(): number {
    this.#state = TRAILER_VALUE;
    const isKnown =
      this.#nameLength <= LONGEST_KNOWN_NAME && fieldKind(this.#name, 0, this.#nameLength) !== OTHER;
    return isKnown ? BAD_REQUEST : 0;
  }
}
