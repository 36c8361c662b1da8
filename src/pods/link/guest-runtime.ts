import type { AddedFunctions } from '../../runtime/module/added-functions.ts';
import { type Assembler, Num } from '../../runtime/module/assembler.ts';
import { Op } from '../../runtime/module/opcodes.ts';
import { I32 } from '../../runtime/module/value-types.ts';
import { PAGE_BYTES } from '../../runtime/prepare/host.ts';
import { DIRTY_PAGE_BITS } from '../../runtime/prepare/layout.ts';
import type { PodLayout } from './layout.ts';

/** Why a run ended early, as `status()` tells the adapter. */
export const Status = { FINE: 0, TRAPPED: 1, BUDGET_USED_UP: 2, EXITED: 3 } as const;

/** Loop iterations and counted calls between two looks at the clock. */
export const FUEL = 4096;
/** Loops pay for so many iterations at once: the count stays in a local. */
export const LOOP_FUEL = 64;
/** Native stack that a run may take, by the estimate of call-graph.ts. */
export const STACK_BYTES = 1 << 20;
/** A unit of fuel pays for so many bytes of a bulk operation, as a shift. */
const BULK_FUEL_BITS = 10;

/** The functions that the rewritten code of the guest calls for what it may not do by itself. All were added to `added`. */
export class GuestRuntime {
  /** (status): the run ends; the first reason counts. */
  readonly stop: number;
  /** (): the run ends because the guest did what traps. */
  readonly trap: number;
  /** (units) -> status: takes fuel, and looks at the clock when there is none left. */
  readonly spend: number;
  /** (address, length): marks the pages of a range that lies inside the guest's memory. */
  readonly mark: number;
  readonly #layout: PodLayout;
  readonly #added: AddedFunctions;
  readonly #clock: number;
  readonly #made = new Map<string, number>();

  /** `clock`: the adapter's function of that name. */
  constructor(layout: PodLayout, added: AddedFunctions, clock: number) {
    this.#layout = layout;
    this.#added = added;
    this.#clock = clock;
    this.stop = added.add([I32], [], [], (code) => {
      code.globalGet(layout.status).op(Num.I32_EQZ).if().localGet(0).globalSet(layout.status).end();
    });
    this.trap = added.add([], [], [], (code) => code.i32Const(Status.TRAPPED).call(this.stop));
    this.spend = this.#addSpend();
    this.mark = this.#addMark();
  }

  /** (address, value, length): `memory.fill`. */
  fill(): number {
    const [at, value, length] = [0, 1, 2];
    return this.once('fill', () =>
      this.#added.add([I32, I32, I32], [], [], (code) => {
        this.#beginBulk(code, at, length);
        this.#absolute(code, at).localGet(value).localGet(length).memoryFill(0);
      }),
    );
  }

  /** (target, source, length): `memory.copy`. */
  copy(): number {
    const [to, from, length] = [0, 1, 2];
    return this.once('copy', () =>
      this.#added.add([I32, I32, I32], [], [], (code) => {
        this.#returnIfOutside(code, from, length);
        this.#beginBulk(code, to, length);
        this.#absolute(code, to);
        this.#absolute(code, from).localGet(length).memoryCopy(0, 0);
      }),
    );
  }

  /** (target, source, length): `memory.init` of the guest's segment; `index` is its number in the pod. */
  init(segment: number, index: number): number {
    const [to, from, length] = [0, 1, 2];
    const { length: bytes, dropped } = this.#layout.data[segment] as {
      length: number;
      dropped: number | null;
    };
    return this.once(`init ${segment}`, () =>
      this.#added.add([I32, I32, I32], [], [], (code) => {
        this.returnIfBeyond(code, from, length, () => sizeUnlessDropped(code, bytes, dropped));
        this.#beginBulk(code, to, length);
        code.localGet(length).op(Num.I32_EQZ).if().op(Op.RETURN).end(); // the segment may be gone
        this.#absolute(code, to).localGet(from).localGet(length);
        code.op(0xfc, 8);
        code.u32(index);
        code.u8(0);
      }),
    );
  }

  /** (pages) -> pages: `memory.grow`. Memory that was there before is used again; it is zero. */
  grow(): number {
    const [more, needed] = [0, 1];
    const { pages, bytes, base, slackPages, maximumPages } = this.#layout;
    return this.once('grow', () =>
      this.#added.add([I32], [I32], [I32], (code) => {
        code.localGet(more).i32Const(maximumPages).globalGet(pages).op(Num.I32_SUB, Num.I32_GT_U);
        code.if().i32Const(-1).op(Op.RETURN).end();
        code.globalGet(pages).localGet(more).op(Num.I32_ADD);
        code.i32Const(base / PAGE_BYTES + slackPages).op(Num.I32_ADD);
        code.memorySize(0).op(Num.I32_SUB).localTee(needed).i32Const(0).op(Num.I32_GT_S).if();
        code.localGet(needed).op(Op.MEMORY_GROW, 0).i32Const(-1).op(Num.I32_EQ);
        code.if().i32Const(-1).op(Op.RETURN).end().end();
        code.globalGet(pages);
        code.globalGet(pages).localGet(more).op(Num.I32_ADD).globalSet(pages);
        code.globalGet(pages).i32Const(Math.log2(PAGE_BYTES)).op(Num.I32_SHL).globalSet(bytes);
      }),
    );
  }

  /** Traps and returns unless [at, at + length) is within the size that `size` pushes. In 64 bits, so that it cannot wrap. */
  returnIfBeyond(code: Assembler, at: number, length: number, size: () => void): void {
    code.localGet(at).op(Num.I64_EXTEND_I32_U).localGet(length).op(Num.I64_EXTEND_I32_U, Num.I64_ADD);
    size();
    code.op(Num.I64_EXTEND_I32_U, Num.I64_GT_U).if().call(this.trap).op(Op.RETURN).end();
  }

  #returnIfOutside(code: Assembler, at: number, length: number): void {
    this.returnIfBeyond(code, at, length, () => code.globalGet(this.#layout.bytes));
  }

  /** Checks and marks what will be written, and pays for it. */
  #beginBulk(code: Assembler, at: number, length: number): void {
    this.#returnIfOutside(code, at, length);
    code.localGet(at).localGet(length).call(this.mark);
    code.localGet(length).i32Const(BULK_FUEL_BITS).op(Num.I32_SHR_U).call(this.spend).op(Op.DROP);
  }

  #absolute(code: Assembler, at: number): Assembler {
    return code.localGet(at).i32Const(this.#layout.base).op(Num.I32_ADD);
  }

  #addSpend(): number {
    const { fuel, deadline, status } = this.#layout;
    return this.#added.add([I32], [I32], [I32], (code) => {
      code.globalGet(fuel).localGet(0).op(Num.I32_SUB).localTee(1).globalSet(fuel);
      code.localGet(1).i32Const(0).op(Num.I32_LT_S).if();
      code.i32Const(FUEL).globalSet(fuel);
      code.call(this.#clock).globalGet(deadline).op(Num.I64_GE_S);
      code.if().i32Const(Status.BUDGET_USED_UP).call(this.stop).end().end();
      code.globalGet(status);
    });
  }

  #addMark(): number {
    const [at, length, first] = [0, 1, 2];
    return this.#added.add([I32, I32], [], [I32], (code) => {
      code.localGet(length).op(Num.I32_EQZ).if().op(Op.RETURN).end();
      code.localGet(at).i32Const(DIRTY_PAGE_BITS).op(Num.I32_SHR_U).localTee(first);
      code.i32Const(this.#layout.mapAt).op(Num.I32_ADD);
      code.i32Const(1);
      code.localGet(at).localGet(length).op(Num.I32_ADD).i32Const(1).op(Num.I32_SUB);
      code.i32Const(DIRTY_PAGE_BITS).op(Num.I32_SHR_U).localGet(first).op(Num.I32_SUB);
      code.i32Const(1).op(Num.I32_ADD).memoryFill(0);
    });
  }

  /** The function that was added under this key, or adds it. */
  once(key: string, add: () => number): number {
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const index = add();
    this.#made.set(key, index);
    return index;
  }
}

/** Pushes the length of a segment, or 0 once it was dropped. */
export function sizeUnlessDropped(code: Assembler, length: number, dropped: number | null): void {
  code.i32Const(length);
  if (dropped !== null) code.i32Const(0).globalGet(dropped).op(Num.I32_EQZ, SELECT);
}

const SELECT = 0x1b;
