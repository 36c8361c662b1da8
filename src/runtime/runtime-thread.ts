import { Deadlines } from './epoch-memory.ts';
import { ImageMemory } from './image-memory.ts';
import { Images } from './images.ts';
import { MAX_PAGES, PAGE_BYTES } from './prepare/host.ts';

const MAILBOX_WORDS = 64;

/**
 * The dirty map: one byte for every 1 KiB page of guest memory, set by every store of a prepared module.
 * One map serves all instances of a thread whose calls end before another instance runs; an instance that can be
 * suspended in the middle of a call needs a map of its own.
 */
export class DirtyMap {
  readonly memory = new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES });
  #user: object | null = null;
  #bytes = Buffer.alloc(0);
  #mailbox = new Int32Array(0);

  get bytes(): Buffer {
    if (this.#bytes.length === 0) this.#bytes = Buffer.from(this.memory.buffer);
    return this.#bytes;
  }

  /** The words before the marks: what the module that runs and the host tell each other (layout.ts, Mailbox). */
  get mailbox(): Int32Array {
    if (this.#mailbox.length === 0) this.#mailbox = new Int32Array(this.memory.buffer, 0, MAILBOX_WORDS);
    return this.#mailbox;
  }

  /**
   * From now on the marks are those of `user`. Throws when another instance has not been restored yet: its marks would
   * be lost, and with them its fresh state.
   */
  claim(user: object): void {
    if (this.#user !== null && this.#user !== user) {
      throw new Error(
        'Cannot run an instance: another one on this dirty map was not restored or disposed of',
      );
    }
    this.#user = user;
  }

  /** True when `user` held the claim. */
  release(user: object): boolean {
    if (this.#user !== user) return false;
    this.#user = null;
    return true;
  }

  ensure(bytes: number): void {
    const missing = Math.ceil(bytes / PAGE_BYTES) - this.memory.buffer.byteLength / PAGE_BYTES;
    if (missing <= 0) return;
    this.memory.grow(missing); // detaches what looked into it
    this.#bytes = Buffer.alloc(0);
    this.#mailbox = new Int32Array(0);
  }
}

/** What the instances of one thread have in common. */
export class RuntimeThread {
  /** Shared by all threads: word 0 is the time in milliseconds, modulo 2³² (epoch-clock.ts). */
  readonly epoch: WebAssembly.Memory;
  readonly deadlines: Deadlines;
  readonly imageMemory = new ImageMemory();
  readonly images = new Images(this.imageMemory);
  readonly dirty = new DirtyMap();

  /** `deadlines`: of this thread, where it has had another RuntimeThread before. */
  constructor(epoch: WebAssembly.Memory, deadlines: Deadlines = new Deadlines(epoch)) {
    this.epoch = epoch;
    this.deadlines = deadlines;
  }
}
