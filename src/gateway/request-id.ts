import { randomBytes } from 'node:crypto';

const NAME = 'x-request-id';
const VALUE_AT = NAME.length + 2;
/** Longest id taken over from a client. */
const MAX_LENGTH = 128;
const DIGITS = 8;
const [ZERO, NINE, A, Z] = Buffer.from('09az') as unknown as [number, number, number, number];

/** What an id may be made of: letters, digits and a little punctuation, nothing that means something in a header or a log. */
const ALLOWED = new Uint8Array(256);
for (const byte of Buffer.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/+=@'))
  ALLOWED[byte] = 1;

/**
 * Request ids that are unique over threads and restarts at the cost of a counter: a random prefix per thread, then a
 * number in base 36. They are names, not secrets.
 */
export class RequestIds {
  readonly #next = Buffer.from(`${randomBytes(6).toString('hex')}-${'0'.repeat(DIGITS)}`);

  /** Writes a new id; returns where it ends. */
  write(target: Buffer, at: number): number {
    const id = this.#next;
    target.set(id, at);
    this.#increment();
    return at + id.length;
  }

  #increment(): void {
    const id = this.#next;
    for (let i = id.length - 1; i >= id.length - DIGITS; i--) {
      const digit = id[i];
      if (digit !== Z) {
        id[i] = digit === NINE ? A : digit + 1;
        return;
      }
      id[i] = ZERO;
    }
  }
}

/** The id of one request as the header line that guest and client get, `x-request-id: …` with its CRLF. */
export class RequestIdLine {
  readonly bytes: Buffer = Buffer.allocUnsafe(VALUE_AT + MAX_LENGTH + 2);
  valueEnd = VALUE_AT;
  lineEnd = VALUE_AT;
  /** Where name and value lie, as a row of a header table. */
  readonly row = new Int32Array([0, NAME.length, VALUE_AT, VALUE_AT]);

  constructor() {
    this.bytes.write(`${NAME}: `, 'latin1');
  }

  /** Takes the client's id from bytes[start, end); false when it is none that we would pass on. */
  take(bytes: Uint8Array, start: number, end: number): boolean {
    if (end === start || end - start > MAX_LENGTH) return false;
    for (let i = start; i < end; i++) {
      if (ALLOWED[bytes[i]] === 0) return false;
      this.bytes[VALUE_AT + i - start] = bytes[i];
    }
    this.#end(VALUE_AT + end - start);
    return true;
  }

  make(ids: RequestIds): void {
    this.#end(ids.write(this.bytes, VALUE_AT));
  }

  value(): string {
    return this.bytes.toString('latin1', VALUE_AT, this.valueEnd);
  }

  #end(valueEnd: number): void {
    this.valueEnd = valueEnd;
    this.row[3] = valueEnd;
    this.bytes[valueEnd] = 13;
    this.bytes[valueEnd + 1] = 10;
    this.lineEnd = valueEnd + 2;
  }
}
