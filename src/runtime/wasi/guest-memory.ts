/** A pointer outside the guest's memory; answered with EFAULT. */
export class Fault extends Error {}

export interface WasiHost {
  /** The guest's memory 0 as it is now. */
  memory(): Buffer;
  markWritten(pointer: number, length: number): void;
}

/** The guest's memory as WASI calls use it: every range is checked, and marked before it is written. */
export class GuestMemory {
  readonly #host: WasiHost;

  constructor(host: WasiHost) {
    this.#host = host;
  }

  /** The memory, after checking that `length` bytes at `pointer` lie within it. Both are taken as they are: not wrapped. */
  readable(pointer: number, length: number): Buffer {
    const memory = this.#host.memory();
    if (pointer + length > memory.length) throw new Fault();
    return memory;
  }

  /**
   * As `readable`, and restore will undo what is written there. Marking comes first: a guest that has used up its stack
   * makes any call of ours fail, and what was written by then must not outlive the request.
   */
  writable(pointer: number, length: number): Buffer {
    const memory = this.readable(pointer, length);
    this.#host.markWritten(pointer, length);
    return memory;
  }

  writeU32(pointer: number, value: number): void {
    this.writable(pointer, 4).writeUInt32LE(value, pointer);
  }

  writeU64(pointer: number, value: bigint): void {
    this.writable(pointer, 8).writeBigUInt64LE(value, pointer);
  }

  /** Fills with zeros; returns the memory. */
  clear(pointer: number, length: number): Buffer {
    return this.writable(pointer, length).fill(0, pointer, pointer + length);
  }
}
