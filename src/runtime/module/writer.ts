const encoder = new TextEncoder();

/** A growing buffer that writes the integers, names and lists of the WebAssembly binary format. */
export class Writer {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written; valid until the next write. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** LEB128, unsigned. */
  u32(value: number): void {
    this.#reserve(5);
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  /** LEB128, signed. */
  s32(value: number): void {
    this.#reserve(5);
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      const last = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
      this.#bytes[this.#length++] = last ? low : low | 0x80;
      if (last) return;
    }
  }

  /** LEB128, signed, of up to 64 bits. */
  s64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      const last = (rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0);
      this.u8(last ? low : low | 0x80);
      if (last) return;
    }
  }

  bytes(source: Uint8Array, start = 0, end = source.length): void {
    const count = end - start;
    this.#reserve(count);
    // Most copies are one instruction long: a loop beats making a view.
    if (count < 24) for (let at = start; at < end; at++) this.#bytes[this.#length++] = source[at] as number;
    else {
      this.#bytes.set(source.subarray(start, end), this.#length);
      this.#length += count;
    }
  }

  name(text: string): void {
    this.sized(encoder.encode(text));
  }

  /** A byte string with its length before it. */
  sized(content: Uint8Array): void {
    this.u32(content.length);
    this.bytes(content);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.written());
    this.#bytes = larger;
  }
}
