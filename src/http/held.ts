import { CR, LF } from './characters.ts';

const LEAST_BYTES = 1024;
const SHORT_HEAD_BYTES = 1024;
/** Unread requests that are kept while one is being handled. */
const FULL_BYTES = 65_536;
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

  /** No more should be read for now. */
  get isFull(): boolean {
    return this.length > FULL_BYTES;
  }

  /**
   * Whether the head may be complete with bytes[0, length), the last that were added. Each scan of an incomplete head
   * starts from its beginning. A short one is scanned at every read, a longer one only when a line ended, so that a
   * client that drips byte by byte costs no more than its packets do.
   */
  isWorthScanning(bytes: Buffer, length: number, maxHeadBytes: number): boolean {
    if (this.length <= SHORT_HEAD_BYTES || this.length >= maxHeadBytes) return true;
    const read = bytes.subarray(0, length);
    return read.includes(LF) || read.includes(CR);
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
