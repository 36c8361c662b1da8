import { MayflyError } from '../model/errors.ts';
import type { Image } from './images.ts';
import { monotonicMs } from './monotonic.ts';
import { HOST } from './prepare/host.ts';
import { DIRTY_PAGE_BITS, DIRTY_PAGE_BYTES, IMAGE_BYTES, Mailbox, MAP_BITS } from './prepare/layout.ts';
import type { PreparedInfo, PreparedMemory } from './prepare/prepare.ts';
import type { DirtyMap, RuntimeThread } from './runtime-thread.ts';

export interface InstanceOptions {
  /** CPU that the start function and `_initialize` may use together. */
  readonly initialBudgetMs?: number | undefined;
  /** A dirty map of its own, for an instance whose calls can be suspended. Default: the thread's. */
  readonly dirty?: DirtyMap;
  /** Told of the instance before anything of it runs: its start function may call imports that need its memory. */
  readonly created?: (instance: Instance) => void;
  /** Runs after the start function, before the snapshot. Default: calls the export `_initialize` if there is one. */
  readonly initialize?: (instance: Instance) => void;
}

const DEFAULT_INITIAL_BUDGET_MS = 1000;

type Exported = (...values: number[]) => number;

const ARM = `${HOST} arm`;
const START = `${HOST} start`;
const SNAPSHOT = `${HOST} snapshot`;
const RESTORE = `${HOST} restore`;
const HANDLE = `${HOST} handle`;
const NO_BYTES = Buffer.alloc(0);

/**
 * An instance of a prepared module that can be put back to the state it had after initialisation.
 * One request is: `arm`, calls of `exports`, `restore` (or `dispose`); only then another instance on the same dirty map may run. Everything the host writes into its memory must be told to
 * `markWritten`; nobody else may write to its memory, tables or globals.
 */
export class Instance {
  readonly exports: WebAssembly.Exports;
  /** How many pages of 1 KiB the last `restore` put back. */
  restoredPages = 0;
  readonly #thread: RuntimeThread;
  readonly #module: WebAssembly.Module;
  readonly #info: PreparedInfo;
  readonly #dirty: DirtyMap;
  readonly #memories: readonly WebAssembly.Memory[];
  /** Where the marks of memory 0 begin. */
  readonly #mapBase: number;
  readonly #arm: Exported;
  readonly #restore: Exported;
  readonly #handle: Exported | undefined;
  #images: readonly Image[] = [];
  #bytes = NO_BYTES;

  /** Instantiates, initialises and takes the snapshot. Throws what initialisation throws, or MayflyError when it takes too long. */
  static create(
    thread: RuntimeThread,
    module: WebAssembly.Module,
    info: PreparedInfo,
    imports: WebAssembly.Imports,
    options: InstanceOptions = {},
  ): Instance {
    const instance = new Instance(thread, module, info, imports, options.dirty ?? thread.dirty);
    options.created?.(instance);
    instance.#initialize(options);
    instance.#takeSnapshot();
    return instance;
  }

  private constructor(
    thread: RuntimeThread,
    module: WebAssembly.Module,
    info: PreparedInfo,
    imports: WebAssembly.Imports,
    dirty: DirtyMap,
  ) {
    this.#thread = thread;
    this.#module = module;
    this.#info = info;
    this.#dirty = dirty;
    dirty.ensure(info.mapBytes);
    this.#mapBase = info.memories[0]?.mapBase ?? 0;
    this.#memories = info.memories.map(
      ({ initialPages, maximumPages }) =>
        new WebAssembly.Memory({ initial: initialPages, maximum: maximumPages }),
    );
    const lent: Record<string, WebAssembly.Memory> = {
      epoch: thread.epoch,
      image: thread.imageMemory.memory,
      dirty: dirty.memory,
    };
    this.#memories.forEach((memory, index) => (lent[`memory${index}`] = memory));
    this.exports = new WebAssembly.Instance(module, { ...imports, [HOST]: lent }).exports;
    this.#arm = this.exports[ARM] as Exported;
    this.#restore = this.exports[RESTORE] as Exported;
    this.#handle = this.exports[HANDLE] as Exported | undefined;
  }

  /** Bytes of its images. */
  get imageBytes(): number {
    return this.#images.reduce((sum, { first, end }) => sum + (end - first), 0) * DIRTY_PAGE_BYTES;
  }

  /** Memory 0, as large as it is now. Take it anew after every call into the guest: growing detaches it. */
  get bytes(): Buffer {
    if (this.#bytes.length === 0) this.#bytes = Buffer.from((this.#memories[0] as WebAssembly.Memory).buffer);
    return this.#bytes;
  }

  /** Says that the host wrote the bytes [address, address + length) of memory 0. */
  markWritten(address: number, length: number): void {
    if (length <= 0) return;
    const first = this.#mapBase + (address >>> DIRTY_PAGE_BITS);
    const last = this.#mapBase + ((address + length - 1) >>> DIRTY_PAGE_BITS);
    const map = this.#dirty.bytes;
    for (let mark = first; mark <= last; mark++) map[mark] = 1;
  }

  /** From now on the guest may run for `budgetMs`: never less, about a millisecond more. Before it was armed it may not run at all. */
  arm(budgetMs: number): void {
    this.#dirty.claim(this);
    // Not from the epoch word: when its thread was late, the guest would lose that time.
    const deadline = Math.ceil(monotonicMs() + budgetMs) | 0;
    this.#thread.deadlines.announce(deadline);
    this.#arm(deadline);
  }

  /** Calls the guest's `handle`; what it returned is in `resultAddress` and `resultLength`, until the next call on this thread. */
  handle(address: number, length: number): void {
    (this.#handle as Exported)(address, length);
  }

  get resultAddress(): number {
    return (this.#dirty.mailbox[Mailbox.RESULT_ADDRESS / 4] as number) >>> 0;
  }

  get resultLength(): number {
    return (this.#dirty.mailbox[Mailbox.RESULT_LENGTH / 4] as number) >>> 0;
  }

  /** Whether the last trap was the end of the CPU budget. Cleared by `restore`. */
  wasKilled(): boolean {
    return this.#dirty.mailbox[Mailbox.KILLED / 4] === 1;
  }

  /** Back to the state of the snapshot. False: something happened that cannot be undone, dispose of the instance. */
  restore(): boolean {
    const pages = this.#restore();
    this.#dirty.release(this);
    this.restoredPages = Math.max(0, pages);
    return pages >= 0;
  }

  /** Gives its images back, also in the middle of a request. The instance must not be used afterwards. */
  dispose(): void {
    this.#abandonMarks();
    for (const image of this.#images) this.#thread.images.release(this.#module, image);
    this.#images = [];
  }

  #initialize(options: InstanceOptions): void {
    this.arm(options.initialBudgetMs ?? DEFAULT_INITIAL_BUDGET_MS);
    try {
      if (this.#info.hasStart) (this.exports[START] as Exported)();
      if (options.initialize !== undefined) options.initialize(this);
      else (this.exports['_initialize'] as Exported | undefined)?.();
    } catch (error) {
      const killed = this.wasKilled();
      this.#abandonMarks();
      if (!killed) throw error;
      throw new MayflyError('The function did not finish its initialisation in time', {
        fix: 'Do less work at start-up, or raise the CPU budget.',
        code: 'initialisation-timeout',
        cause: error,
      });
    }
  }

  #takeSnapshot(): void {
    this.#images = this.#info.memories.map((memory, index) => this.#takeImage(memory, index));
    this.#images.forEach(({ address, first, end }, index) => {
      this.#dirty.mailbox.set([address, first, end], (Mailbox.IMAGES + index * IMAGE_BYTES) / 4);
    });
    (this.exports[SNAPSHOT] as Exported)();
    this.#abandonMarks();
  }

  /** Only marked pages and those with data segments can differ from zero. */
  #takeImage(memory: PreparedMemory, index: number): Image {
    const guest =
      index === 0 ? this.bytes : Buffer.from((this.#memories[index] as WebAssembly.Memory).buffer);
    const map = this.#mapOf(memory, guest.length);
    const [firstMark, lastMark] = [map.indexOf(1), map.lastIndexOf(1)];
    let [start, end] = memory.dataEnd > 0 ? [memory.dataStart, memory.dataEnd] : [Infinity, 0];
    if (lastMark >= 0) {
      start = Math.min(start, firstMark << DIRTY_PAGE_BITS);
      end = Math.max(end, Math.min(guest.length, (lastMark + 2) << DIRTY_PAGE_BITS)); // the last store may straddle
    }
    return this.#thread.images.acquire(this.#module, guest, start, end);
  }

  #abandonMarks(): void {
    if (!this.#dirty.release(this)) return;
    this.#dirty.mailbox[Mailbox.KILLED / 4] = 0;
    for (const [index, memory] of this.#info.memories.entries()) {
      const { byteLength } = (this.#memories[index] as WebAssembly.Memory).buffer;
      this.#mapOf(memory, byteLength).fill(0);
    }
  }

  #mapOf(memory: PreparedMemory, memoryBytes: number): Buffer {
    return this.#dirty.bytes.subarray(memory.mapBase, memory.mapBase + ((memoryBytes >>> 16) << MAP_BITS));
  }
}
