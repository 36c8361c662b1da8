import { malformed } from './refusals.ts';

/** A byte order mark is a part of a name like any other character. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads the integers and names of the WebAssembly binary format from `at` to `end`. Throws MayflyError past the end. */
export class Reader {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  u8(): number {
    if (this.at >= this.end) throw malformed('it ends in the middle of something', this.at);
    return this.bytes[this.at++] as number;
  }

  /** LEB128, unsigned, at most 32 bits. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw malformed('an integer is longer than 32 bits', this.at);
  }

  /** LEB128, signed, at most 32 bits. */
  s32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return shift < 25 && (byte & 0x40) !== 0 ? value | (-1 << (shift + 7)) : value;
    }
    throw malformed('an integer is longer than 32 bits', this.at);
  }

  /** Steps over one LEB128 integer of up to 64 bits. */
  skipInteger(): void {
    for (let length = 0; length < 10; length++) if (this.u8() < 0x80) return;
    throw malformed('an integer is longer than 64 bits', this.at);
  }

  skip(length: number): void {
    if (length > this.end - this.at) throw malformed('it ends in the middle of something', this.end);
    this.at += length;
  }

  name(): string {
    const length = this.u32();
    const start = this.at;
    this.skip(length);
    try {
      return utf8.decode(this.bytes.subarray(start, this.at));
    } catch {
      throw malformed('a name is not UTF-8', start);
    }
  }

  /** The number of entries that follow. An entry takes at least one byte, so a larger number is a lie. */
  count(): number {
    const count = this.u32();
    if (count > this.end - this.at) throw malformed('a list is longer than the module', this.at);
    return count;
  }
}
