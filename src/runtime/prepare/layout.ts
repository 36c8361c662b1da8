import type { ModuleParts } from '../module/module-parts.ts';
import { I32, type ValueType } from '../module/value-types.ts';

/** One byte of the dirty map stands for a page of this size of guest memory. 1 KiB: facts in ADR 0003. */
export const DIRTY_PAGE_BITS = 10;
export const DIRTY_PAGE_BYTES = 1 << DIRTY_PAGE_BITS;
/** Dirty-map bytes for one Wasm page of 64 KiB, as a shift. */
export const MAP_BITS = 16 - DIRTY_PAGE_BITS;
/**
 * A store of up to 16 bytes marks only the page where it begins. Restore therefore copies this much of the next page too.
 */
export const STRADDLE_BYTES = 16;

/**
 * What module and host tell each other in passing, as words at the start of the dirty map, before the marks: reading one
 * costs the host a tenth of what an exported global or a 64-bit result does. Offsets in bytes.
 */
export const Mailbox = {
  /** 1 once the guest was stopped at its deadline. */
  KILLED: 0,
  /** What `handle` returned: length of the response frame, then its address. */
  RESULT_LENGTH: 8,
  RESULT_ADDRESS: 12,
  /** For `snapshot`, three words a memory: address of its image, first page, one past the last. */
  IMAGES: 16,
} as const;
export const IMAGE_BYTES = 12;

/** A guest memory: its place in the dirty map and the globals that describe its image. */
export interface MemoryLayout {
  readonly index: number;
  readonly maximumPages: number;
  /** Where its part of the dirty map begins. */
  readonly mapBase: number;
  /** Global: its size in pages when the snapshot was taken. */
  readonly snapshotSize: number;
  /** Global: address of the image in the image memory. */
  readonly imageAt: number;
  /** Globals: the dirty pages that the image holds, first and one past the last; all others were zero. */
  readonly imageFirst: number;
  readonly imageEnd: number;
}

export interface Shadow {
  readonly global: number;
  readonly shadow: number;
}

/**
 * The index spaces of the rewritten module. Everything of ours comes after what the guest has, so that no index in the
 * guest's code, elements or names changes: guest memories become imports in their order, followed by our three;
 * our types, globals and functions are appended.
 */
export class Layout {
  readonly memories: readonly MemoryLayout[];
  readonly epochMemory: number;
  readonly imageMemory: number;
  readonly dirtyMemory: number;
  /** Bytes the dirty map needs for all memories together, with the mailbox. */
  readonly mapBytes: number;
  /** Mutable globals of the guest and where snapshot saves them. */
  readonly shadows: readonly Shadow[];
  /** Global: the epoch (milliseconds, wrapping) from which on the guest is stopped. */
  readonly deadline: number;
  /** Global: 1 once something changed that restore does not undo (tables, dropped segments). */
  readonly tainted: number;
  /** Types of the globals we add, in order. */
  readonly addedGlobals: ValueType[] = [];
  readonly #firstGlobal: number;

  constructor(parts: ModuleParts, maximumPages: readonly number[]) {
    this.#firstGlobal = parts.globals.length;
    this.deadline = this.#addGlobal(I32);
    this.tainted = this.#addGlobal(I32);
    // `restore` reads marks 64 bytes at a time.
    let mapBase = Math.ceil((Mailbox.IMAGES + maximumPages.length * IMAGE_BYTES) / 64) * 64;
    this.memories = maximumPages.map((pages, index) => {
      const memory: MemoryLayout = {
        index,
        maximumPages: pages,
        mapBase,
        snapshotSize: this.#addGlobal(I32),
        imageAt: this.#addGlobal(I32),
        imageFirst: this.#addGlobal(I32),
        imageEnd: this.#addGlobal(I32),
      };
      mapBase += pages << MAP_BITS;
      return memory;
    });
    this.mapBytes = mapBase;
    this.epochMemory = maximumPages.length;
    this.imageMemory = maximumPages.length + 1;
    this.dirtyMemory = maximumPages.length + 2;
    this.shadows = parts.globals.flatMap((global, index) =>
      global.mutable ? [{ global: index, shadow: this.#addGlobal(global.type) }] : [],
    );
  }

  #addGlobal(type: ValueType): number {
    return this.#firstGlobal + this.addedGlobals.push(type) - 1;
  }
}
