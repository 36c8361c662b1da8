import { encode, encodedCapacity } from "./utf8";

/**
 * Bytes that grow at their end. They start behind a stretch of free room, so that the head of the
 * response frame can be put in front of a body without moving it.
 *
 * Memory comes from the bump allocator (an instance lives for one request, nothing is ever freed):
 * while nobody else allocates in between, growing is free.
 */
export class Bytes {
  private block: usize;
  private capacity: usize;
  private room: usize;
  /** Length of the content, in bytes. */
  length: usize = 0;

  constructor(capacity: usize, room: usize = 0) {
    this.block = __alloc(room + capacity);
    this.capacity = capacity;
    this.room = room;
  }

  /** Address of the content. Valid until the next `reserve`. */
  get start(): usize {
    return this.block + this.room;
  }

  /** Bytes that the content may have until it is moved. */
  get size(): usize {
    return this.capacity;
  }

  /** Free bytes in front of the content. */
  get headroom(): usize {
    return this.room;
  }

  /** Makes sure that `size` more bytes fit and returns the address where they go; `length` is the caller's to raise. */
  reserve(size: usize): usize {
    const wanted = this.length + size;
    if (wanted > this.capacity) this.grow(wanted);
    return this.block + this.room + this.length;
  }

  private grow(wanted: usize): void {
    if (wanted < this.length || wanted > <usize>i32.MAX_VALUE) throw new Error("The response is too large");
    const capacity = max(wanted, this.capacity << 1);
    this.block = __realloc(this.block, this.room + capacity);
    this.capacity = capacity;
  }

  push(byte: u8): void {
    store<u8>(this.reserve(1), byte);
    this.length += 1;
  }

  append(from: usize, size: usize): void {
    memory.copy(this.reserve(size), from, size);
    this.length += size;
  }

  appendText(text: string): void {
    this.length += encode(text, this.reserve(encodedCapacity(text)));
  }
}
