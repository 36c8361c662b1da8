/**
 * The 64-bit fingerprint of whom a limit counts, and where in the table it was found last. One may be kept per session
 * and limit; the table checks it on every use, so it may be as old as it likes.
 */
export class LimitKey {
  low = 0;
  /** Never 0: that marks a free entry. */
  high = 1;
  /** For the table alone; −1: not looked up yet. */
  entry = -1;

  /** A key whose fingerprint is known. */
  static from(low: number, high: number): LimitKey {
    const key = new LimitKey();
    key.low = low;
    key.high = high;
    return key;
  }

  static of(seedLow: number, seedHigh: number, text: string): LimitKey {
    const key = new LimitKey();
    new KeyHash(seedLow, seedHigh).reset().text(text).finish(key);
    return key;
  }
}

/**
 * HalfSipHash-2-4 with 64 bits of result (Aumasson and Bernstein; the 32-bit sibling of SipHash): a keyed hash, so that
 * nobody outside can choose users or addresses that share an entry. Every part starts with its length and kind, so that
 * ("ab", "c") and ("a", "bc") differ. One object per thread, reused.
 */
export class KeyHash {
  readonly #seedLow: number;
  readonly #seedHigh: number;
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;
  #words = 0;

  constructor(seedLow: number, seedHigh: number) {
    this.#seedLow = seedLow | 0;
    this.#seedHigh = seedHigh | 0;
  }

  reset(): this {
    this.#a = this.#seedLow;
    this.#b = this.#seedHigh ^ 0xee;
    this.#c = this.#seedLow ^ 0x6c796765;
    this.#d = this.#seedHigh ^ 0x74656462;
    this.#words = 0;
    return this;
  }

  text(value: string): this {
    const length = value.length;
    this.#word(length | (1 << 30));
    let at = 0;
    for (; at + 1 < length; at += 2) this.#word(value.charCodeAt(at) | (value.charCodeAt(at + 1) << 16));
    if (at < length) this.#word(value.charCodeAt(at));
    return this;
  }

  bytes(value: Uint8Array, start: number, end: number): this {
    this.#word((end - start) | (2 << 29));
    let at = start;
    for (; at + 3 < end; at += 4) {
      this.#word(value[at] | (value[at + 1] << 8) | (value[at + 2] << 16) | (value[at + 3] << 24));
    }
    let last = 0;
    for (let shift = 0; at < end; at++, shift += 8) last |= value[at] << shift;
    this.#word(last);
    return this;
  }

  /** A value that is not there: differs from every value that is. */
  nothing(): this {
    this.#word(-1);
    return this;
  }

  finish(into: LimitKey): LimitKey {
    this.#word((this.#words * 4) << 24);
    this.#c ^= 0xee;
    for (let round = 0; round < 4; round++) this.#round();
    const low = this.#b ^ this.#d;
    this.#b ^= 0xdd;
    for (let round = 0; round < 4; round++) this.#round();
    const high = this.#b ^ this.#d;
    into.low = low;
    into.high = high === 0 ? 1 : high;
    into.entry = -1;
    return into;
  }

  #word(word: number): void {
    this.#words++;
    this.#d ^= word;
    this.#round();
    this.#round();
    this.#a ^= word;
  }

  #round(): void {
    let a = this.#a;
    let b = this.#b;
    let c = this.#c;
    let d = this.#d;
    a = (a + b) | 0;
    b = ((b << 5) | (b >>> 27)) ^ a;
    a = (a << 16) | (a >>> 16);
    c = (c + d) | 0;
    d = ((d << 8) | (d >>> 24)) ^ c;
    a = (a + d) | 0;
    d = ((d << 7) | (d >>> 25)) ^ a;
    c = (c + b) | 0;
    b = ((b << 13) | (b >>> 19)) ^ c;
    c = (c << 16) | (c >>> 16);
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#d = d;
  }
}
