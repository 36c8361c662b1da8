import { accessBytes } from '../module/access.ts';
import type { Instructions } from '../module/instructions.ts';
import { STRADDLE_BYTES } from './layout.ts';
import { Op } from '../module/opcodes.ts';

const NO_LOCAL = -1;
/** Opcodes up to here are control, calls, drop and select. */
const LAST_CONTROL = 0x1f;
/**
 * What is known of the instructions just before, as long as they follow one another without control or calls: which
 * local is the address of a store, and which bytes from that local on the last mark covers.
 */
export class RecentCode {
  #beforeLast = NO_LOCAL;
  #last = NO_LOCAL;
  /** The low 32 bits of the integer constants among the last two. */
  #beforeLastConstant: number | null = null;
  #lastConstant: number | null = null;
  /** The last instruction pushed one value and took none. */
  #lastPushes = false;
  #markedLocal = NO_LOCAL;
  #markedMemory = 0;
  #markedFrom = 0;

  /** Nothing is known: at the start of a function, and wherever control may come from or go elsewhere. */
  forget(): void {
    this.#beforeLast = NO_LOCAL;
    this.#last = NO_LOCAL;
    this.#beforeLastConstant = null;
    this.#lastConstant = null;
    this.#lastPushes = false;
    this.#markedLocal = NO_LOCAL;
  }

  /** To be told of every instruction, after it was rewritten. */
  passed({ opcode, first, constant }: Instructions): void {
    if (opcode <= LAST_CONTROL) return this.forget();
    if ((opcode === Op.LOCAL_SET || opcode === Op.LOCAL_TEE) && first === this.#markedLocal) {
      this.#markedLocal = NO_LOCAL;
    }
    this.#beforeLast = this.#last;
    this.#last = opcode === Op.LOCAL_GET || opcode === Op.LOCAL_TEE ? first : NO_LOCAL;
    this.#beforeLastConstant = this.#lastConstant;
    this.#lastConstant = opcode === Op.I32_CONST || opcode === Op.I64_CONST ? constant >>> 0 : null;
    this.#lastPushes =
      opcode === Op.LOCAL_GET ||
      opcode === Op.GLOBAL_GET ||
      (opcode >= Op.I32_CONST && opcode <= Op.F64_CONST);
  }

  /** The local that has the value on top of the stack, or −1: the address of the load that comes now. */
  topLocal(): number {
    return this.#last;
  }

  /** The low 32 bits of the integer constant on top of the stack, unsigned, or null: the address of the load that comes now. */
  topConstant(): number | null {
    return this.#lastConstant;
  }

  /** The constant that is the address of the store that comes now, or null: `i32.const`, one value, store. */
  addressConstant(): number | null {
    return this.#lastPushes ? this.#beforeLastConstant : null;
  }

  /** The local that holds the address of the store that comes now, or −1: `local.get` or `local.tee`, one value, store. */
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
    const bytes = accessBytes(store.opcode);
    return (
      local !== NO_LOCAL &&
      local === this.#markedLocal &&
      store.memory === this.#markedMemory &&
      store.offset >= this.#markedFrom &&
      store.offset + bytes <= this.#markedFrom + STRADDLE_BYTES
    );
  }
}
