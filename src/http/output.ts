const STANDARD_BYTES = 65_536;
/** A buffer that grew beyond this for one large response is not kept. */
const KEEP_BYTES = 1_048_576;
/** Up to here a loop is cheaper than a call. */
const SHORT_BYTES = 16;
/** Views of the buffer's beginning are kept by the last bits of their length. */
const VIEWS = 64;

/** Where a thread's responses are put together: one growing buffer, written to the socket once a batch. */
export class Output {
  bytes: Buffer;
  length = 0;
  #views: Buffer[] = [];

  constructor(capacity = STANDARD_BYTES) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
  }

  /** Makes room for so many more bytes. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.length);
    this.#use(larger);
  }

  put(source: Buffer, start: number, end: number): void {
    const count = end - start;
    this.reserve(count);
    const target = this.bytes;
    let at = this.length;
    this.length += count;
    if (count <= SHORT_BYTES) for (let i = start; i < end; i++) target[at++] = source[i];
    else if (count === source.length) target.set(source, at);
    else source.copy(target, at, start, end);
  }

  /** A non-negative whole number in decimal digits. */
  putNumber(value: number): void {
    this.reserve(16);
    let digits = 1;
    for (let power = 10; power <= value; power *= 10) digits++;
    let rest = value;
    for (let at = this.length + digits - 1; at >= this.length; at--) {
      const next = Math.floor(rest / 10);
      this.bytes[at] = 0x30 + (rest - next * 10);
      rest = next;
    }
    this.length += digits;
  }

  /** Takes what was put together, as a view of the buffer. Call `release` once it was handed to the kernel. */
  take(): Buffer {
    const { length } = this;
    this.length = 0;
    // Answers are often as long as one shortly before: making a view costs more than looking for it.
    const known: Buffer | undefined = this.#views[length % VIEWS];
    if (known !== undefined && known.length === length) return known;
    const view = this.bytes.subarray(0, length);
    this.#views[length % VIEWS] = view;
    return view;
  }

  /** After `take`: the buffer may be used again if the kernel has all of it, else it stays with the write. */
  release(written: boolean): void {
    if (!written || this.bytes.length > KEEP_BYTES) this.#use(Buffer.allocUnsafeSlow(STANDARD_BYTES));
  }

  #use(bytes: Buffer): void {
    this.bytes = bytes;
    this.#views = [];
  }
}
