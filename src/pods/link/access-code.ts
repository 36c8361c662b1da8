import { accessBytes, hasLane, storedType } from '../../runtime/module/access.ts';
import { Num } from '../../runtime/module/assembler.ts';
import type { Instructions } from '../../runtime/module/instructions.ts';
import { Op } from '../../runtime/module/opcodes.ts';
import { V128, type ValueType } from '../../runtime/module/value-types.ts';
import { PAGE_BYTES } from '../../runtime/prepare/host.ts';
import { DIRTY_PAGE_BITS } from '../../runtime/prepare/layout.ts';
import type { CodeCopy } from './code-copy.ts';
import { type PodLayout, REACH_BYTES, SLACK_BYTES } from './layout.ts';

/** Loads and stores of the guest: moved to its place, checked against the end of its memory, stores marked. */
export class AccessCode {
  readonly #copy: CodeCopy;
  readonly #layout: PodLayout;

  constructor(copy: CodeCopy, layout: PodLayout) {
    this.#copy = copy;
    this.#layout = layout;
  }

  load(at: Instructions): void {
    if (hasLane(at.opcode)) return this.#loadLane(at);
    this.#copy.copyTo(at.start);
    const local = this.#copy.recent.topLocal();
    if (!this.#isInsideAlways(at, this.#copy.recent.topConstant())) {
      if (local >= 0) this.#checkKnown(at, local);
      else {
        const address = this.#copy.local('address');
        this.#copy.code.localTee(address);
        this.#check(at, address);
      }
    }
    this.#writeAccess(at);
  }

  /** It has the vector above the address, as a store has its value. */
  #loadLane(at: Instructions): void {
    this.#checkBelow(at, V128);
    this.#writeAccess(at);
  }

  store(at: Instructions): void {
    const constant = this.#copy.recent.addressConstant();
    if (this.#isInsideAlways(at, constant)) return this.#storeAtConstant(at, constant as number);
    const known = this.#copy.recent.addressLocal();
    if (known >= 0) return this.#storeAtLocal(at, known);
    const address = this.#checkBelow(at, storedType(at.opcode));
    this.#writeAccess(at);
    this.#mark(address, this.#reaches(at) ? 0 : at.offset);
  }

  /** Checks the address below the value on top of the stack, and returns the local that has it. */
  #checkBelow(at: Instructions, type: ValueType): number {
    this.#copy.copyTo(at.start);
    const value = this.#copy.scratch.get(`value ${type}`, type);
    const address = this.#copy.local('address');
    this.#copy.code.localSet(value).localTee(address);
    this.#check(at, address);
    this.#copy.code.localGet(value);
    return address;
  }

  #storeAtLocal(at: Instructions, address: number): void {
    this.#copy.copyTo(at.start);
    this.#checkKnown(at, address);
    this.#writeAccess(at);
    if (!this.#reaches(at)) return this.#mark(address, at.offset);
    if (this.#copy.known.isMarked(address)) return;
    this.#copy.known.wasMarked(address);
    this.#mark(address, 0);
  }

  #storeAtConstant(at: Instructions, address: number): void {
    this.#copy.copyTo(at.start);
    this.#writeAccess(at);
    const page = (address + at.offset) >>> DIRTY_PAGE_BITS;
    if (this.#copy.known.isPageMarked(page)) return;
    this.#copy.known.pageWasMarked(page);
    this.#copy.code
      .i32Const(0)
      .i32Const(1)
      .access(Op.I32_STORE8, 0, this.#layout.mapAt + page);
  }

  /** Whether a mark of the page of the address alone stands for what the store writes. */
  #reaches(at: Instructions): boolean {
    return at.offset + accessBytes(at.opcode) <= REACH_BYTES;
  }

  /** Marks after the store: the address is known to be inside the memory by then, and so inside the map. */
  #mark(address: number, offset: number): void {
    const code = this.#copy.code.localGet(address);
    if (offset !== 0) code.i32Const(offset).op(Num.I32_ADD);
    code.i32Const(DIRTY_PAGE_BITS).op(Num.I32_SHR_U).i32Const(1);
    code.access(Op.I32_STORE8, 0, this.#layout.mapAt);
  }

  /** Whether the address is a constant, and the access inside the memory from its beginning. */
  #isInsideAlways(at: Instructions, address: number | null): boolean {
    const { minimumPages } = this.#layout;
    return address !== null && address + at.offset + accessBytes(at.opcode) <= minimumPages * PAGE_BYTES;
  }

  #checkKnown(at: Instructions, address: number): void {
    const isShort = this.#isShort(at);
    if (isShort && this.#copy.known.isInside(address)) return;
    this.#check(at, address);
    if (isShort) this.#copy.known.foundInside(address);
  }

  /** Traps for an address outside the memory. What is on the stack does not matter. */
  #check(at: Instructions, address: number): void {
    const { bytes } = this.#layout;
    const code = this.#copy.code.localGet(address);
    if (this.#isShort(at)) code.globalGet(bytes).op(Num.I32_GE_U);
    else {
      code
        .op(Num.I64_EXTEND_I32_U)
        .i64Const(BigInt(at.offset + accessBytes(at.opcode)))
        .op(Num.I64_ADD);
      code.globalGet(bytes).op(Num.I64_EXTEND_I32_U, Num.I64_GT_U);
    }
    this.#copy.trapIf();
  }

  #isShort(at: Instructions): boolean {
    return at.offset + accessBytes(at.opcode) <= SLACK_BYTES;
  }

  /** The access itself, moved to the guest's place. An offset that does not fit was found to be outside. */
  #writeAccess(at: Instructions): void {
    const code = this.#copy.replace(at);
    const { bytes } = this.#copy;
    code.bytes(bytes, at.start, at.immediates);
    code.u32(at.alignment);
    code.u32(Math.min(at.offset + this.#layout.base, 0xffff_ffff));
    if (hasLane(at.opcode)) code.u8(bytes[at.end - 1] as number);
  }
}
