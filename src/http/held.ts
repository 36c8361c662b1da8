const LEAST_BYTES = 1024;
const nothing = Buffer.alloc(0);

/** Bytes of a connection that arrived and wait: for the rest of a head, or for the answer to the request before. */
export class HeldBytes {
  #bytes: Buffer = nothing;
  length = 0;

  /** Copies bytes[start, end) behind what is held. */
  add(bytes: Buffer, start: number, end: number): void {
    const needed = this.length + end - start;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2, LEAST_BYTES));
      this.#bytes.copy(larger, 0, 0, this.length);
      this.#bytes = larger;
    }
    bytes.copy(this.#bytes, this.length, start, end);
    this.length = needed;
  }

  /** Gives the buffer away, of which the first `length` bytes count: read `length` before. Nothing is held after. */
  take(): Buffer {
    const bytes = this.#bytes;
    this.clear();
    return bytes;
  }

  clear(): void {
    this.#bytes = nothing;
    this.length = 0;
  }
}
