import type { Instructions } from '../module/instructions.ts';
import { STRADDLE_BYTES } from './layout.ts';
import { Op } from '../module/opcodes.ts';

const NO_LOCAL = -1;
/** Opcodes up to here are control, calls, drop and select. */
const LAST_CONTROL = 0x1f;
/** Bytes that i32.store … i64.store32 write, in the order of their opcodes. */
const STORED_BYTES = [4, 8, 4, 8, 1, 2, 1, 2, 4];

/**
 * What is known of the instructions just before, as long as they follow one another without control or calls: which
 * local is the address of a store, and which bytes from that local on the last mark covers.
 */
export class RecentCode {
  #beforeLast = NO_LOCAL;
  #last = NO_LOCAL;
  /** The last instruction pushed one value and took none. */
  #lastPushes = false;
  #markedLocal = NO_LOCAL;
  #markedMemory = 0;
  #markedFrom = 0;

  /** Nothing is known: at the start of a function, and wherever control may come from or go elsewhere. */
  forget(): void {
    this.#beforeLast = NO_LOCAL;
    this.#last = NO_LOCAL;
    this.#lastPushes = false;
    this.#markedLocal = NO_LOCAL;
  }

  /** To be told of every instruction, after it was rewritten. */
  passed({ opcode, first }: Instructions): void {
    if (opcode <= LAST_CONTROL) return this.forget();
    if ((opcode === Op.LOCAL_SET || opcode === Op.LOCAL_TEE) && first === this.#markedLocal) {
      this.#markedLocal = NO_LOCAL;
    }
    this.#beforeLast = this.#last;
    this.#last = opcode === Op.LOCAL_GET ? first : NO_LOCAL;
    this.#lastPushes =
      opcode === Op.LOCAL_GET ||
      opcode === Op.GLOBAL_GET ||
      (opcode >= Op.I32_CONST && opcode <= Op.F64_CONST);
  }

  /** The local that holds the address of the store that comes now, or −1: `local.get`, one value, store. */
  addressLocal(): number {
    return this.#lastPushes ? this.#beforeLast : NO_LOCAL;
  }

  /** Remembers that the page of `local` + the store's offset is marked. */
  marked(local: number, store: Instructions): void {
    this.#markedLocal = local;
    this.#markedMemory = store.memory;
    this.#markedFrom = store.offset;
  }

  /** Whether restore puts back what the store writes anyway: it undoes at least STRADDLE_BYTES from every marked address on. */
  covers(local: number, store: Instructions): boolean {
    const bytes = STORED_BYTES[store.opcode - Op.I32_STORE] ?? STRADDLE_BYTES;
    return (
      local !== NO_LOCAL &&
      local === this.#markedLocal &&
      store.memory === this.#markedMemory &&
      store.offset >= this.#markedFrom &&
      store.offset + bytes <= this.#markedFrom + STRADDLE_BYTES
    );
  }
}
