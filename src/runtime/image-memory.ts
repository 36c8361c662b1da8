import { MAX_PAGES, PAGE_BYTES } from './prepare/host.ts';

/** Images are placed at multiples of this. */
const GRAIN_BYTES = 1024;

/** A free range [start, end) in bytes. */
interface Hole {
  start: number;
  end: number;
}

/**
 * The memory of a thread that keeps the images of its instances: what their memories held after initialisation.
 * Prepared modules import it and copy from it. First fit; neighbouring holes merge.
 */
export class ImageMemory {
  readonly memory = new WebAssembly.Memory({ initial: 0, maximum: MAX_PAGES });
  readonly #holes: Hole[] = [];
  #bytes = Buffer.alloc(0);

  /** The whole memory, renewed after it grew. */
  get bytes(): Buffer {
    if (this.#bytes.length === 0) this.#bytes = Buffer.from(this.memory.buffer);
    return this.#bytes;
  }

  /** Address of `length` free bytes. Their content is whatever was there. Throws RangeError beyond 4 GiB. */
  allocate(length: number): number {
    const size = roundUp(length);
    for (const [at, hole] of this.#holes.entries()) {
      if (hole.end - hole.start < size) continue;
      const address = hole.start;
      hole.start += size;
      if (hole.start === hole.end) this.#holes.splice(at, 1);
      return address;
    }
    this.#grow(size);
    return this.allocate(length);
  }

  free(address: number, length: number): void {
    const end = address + roundUp(length);
    let at = this.#holes.findIndex((hole) => hole.start >= end);
    if (at < 0) at = this.#holes.length;
    const [before, after] = [this.#holes[at - 1], this.#holes[at]];
    const hole = {
      start: before?.end === address ? before.start : address,
      end: after?.start === end ? after.end : end,
    };
    const from = before?.end === address ? at - 1 : at;
    this.#holes.splice(from, (after?.start === end ? at + 1 : at) - from, hole);
  }

  #grow(size: number): void {
    const pages = Math.ceil(size / PAGE_BYTES);
    const start = this.memory.grow(pages) * PAGE_BYTES;
    this.#bytes = Buffer.alloc(0);
    this.free(start, pages * PAGE_BYTES);
  }
}

function roundUp(length: number): number {
  return Math.max(1, Math.ceil(length / GRAIN_BYTES)) * GRAIN_BYTES;
}
