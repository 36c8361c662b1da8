import type { ImageMemory } from './image-memory.ts';
import { DIRTY_PAGE_BYTES, STRADDLE_BYTES } from './prepare/layout.ts';

/**
 * What one guest memory held when its snapshot was taken: the pages [first, end) with everything that was not zero,
 * and a page of zeros on both sides where the memory has one, so that a store that straddles two pages is undone by
 * copying from the image or by zeros, never half of each.
 */
export interface Image {
  readonly address: number;
  readonly first: number;
  readonly end: number;
  /** Instances that use it. */
  users: number;
}

/** The images of a thread. Instances of one module whose memories are equal share one. */
export class Images {
  readonly #memory: ImageMemory;
  readonly #byModule = new WeakMap<WebAssembly.Module, Image[]>();

  constructor(memory: ImageMemory) {
    this.#memory = memory;
  }

  /** The image for `guest`, of which only the bytes [start, end) may differ from zero. Call `release` when done with it. */
  acquire(module: WebAssembly.Module, guest: Buffer, start: number, end: number): Image {
    const images = this.#imagesOf(module);
    const [first, last] = extent(guest.length, start, end);
    let image = images.find((candidate) => this.#matches(candidate, guest, first, last));
    if (image === undefined) images.push((image = this.#store(guest, first, last)));
    image.users++;
    return image;
  }

  release(module: WebAssembly.Module, image: Image): void {
    if (--image.users > 0) return;
    this.#memory.free(image.address, byteLength(image));
    const images = this.#imagesOf(module);
    images.splice(images.indexOf(image), 1);
  }

  #imagesOf(module: WebAssembly.Module): Image[] {
    let images = this.#byModule.get(module);
    if (images === undefined) this.#byModule.set(module, (images = []));
    return images;
  }

  #matches(image: Image, guest: Buffer, first: number, end: number): boolean {
    if (image.first !== first || image.end !== end) return false;
    const { bytes } = this.#memory;
    const at = image.address;
    const length = (end - first) * DIRTY_PAGE_BYTES;
    return bytes.compare(guest, first * DIRTY_PAGE_BYTES, end * DIRTY_PAGE_BYTES, at, at + length) === 0;
  }

  #store(guest: Buffer, first: number, end: number): Image {
    const image = { address: 0, first, end, users: 0 };
    image.address = this.#memory.allocate(byteLength(image));
    guest.copy(this.#memory.bytes, image.address, first * DIRTY_PAGE_BYTES, end * DIRTY_PAGE_BYTES);
    const tail = image.address + (end - first) * DIRTY_PAGE_BYTES;
    this.#memory.bytes.fill(0, tail, tail + STRADDLE_BYTES);
    return image;
  }
}

/** Restoring the last page of an image also reads the start of the page after it, which was zero. */
function byteLength(image: Image): number {
  return (image.end - image.first) * DIRTY_PAGE_BYTES + STRADDLE_BYTES;
}

/** The pages that hold the bytes [start, end), with one page before them. */
function extent(length: number, start: number, end: number): [first: number, end: number] {
  if (start >= end) return [0, 0];
  const first = Math.max(0, Math.floor(start / DIRTY_PAGE_BYTES) - 1);
  return [first, Math.min(length / DIRTY_PAGE_BYTES, Math.ceil(end / DIRTY_PAGE_BYTES))];
}
