import type { AddedFunctions } from '../module/added-functions.ts';
import { type Assembler, Num } from '../module/assembler.ts';
import {
  DIRTY_PAGE_BITS,
  DIRTY_PAGE_BYTES,
  IMAGE_BYTES,
  type Layout,
  Mailbox,
  MAP_BITS,
  type MemoryLayout,
  STRADDLE_BYTES,
} from './layout.ts';
import { Op } from '../module/opcodes.ts';
import { I32, I64 } from '../module/value-types.ts';

/** Bulk operations look at the clock after every piece of this size. */
const PIECE_BYTES = 1 << 20;

/** The functions that instrumented code calls and the host drives an instance with. All were added to `added`. */
export class RuntimeFunctions {
  readonly #layout: Layout;
  readonly #added: AddedFunctions;
  readonly #kill: number;
  readonly #marks: readonly number[];
  readonly #fills = new Map<number, number>();
  readonly #copies = new Map<string, number>();
  /** What the rewritten module exports for the host: name → function index. */
  readonly exports: ReadonlyMap<string, number>;

  /** `handle`: index of the guest's handler, if it has one. */
  constructor(layout: Layout, added: AddedFunctions, handle: number | null) {
    this.#layout = layout;
    this.#added = added;
    this.#kill = added.add([], [], [], (code) => {
      this.#setKilled(code, 1);
      code.op(Op.UNREACHABLE);
    });
    this.#marks = layout.memories.map((memory) => this.#addMark(memory));
    this.exports = new Map([
      ['arm', this.#addArm()],
      ['snapshot', this.#addSnapshot()],
      ['restore', this.#addRestore()],
      ...(handle === null ? [] : [['handle', this.#addHandle(handle)] as const]),
    ]);
  }

  /** Looks at the clock: stops the guest once the deadline has come. The difference wraps as the clock does. */
  check(code: Assembler): void {
    const { epochMemory, deadline } = this.#layout;
    code
      .i32Const(0)
      .i32AtomicLoad(epochMemory)
      .globalGet(deadline)
      .op(Num.I32_SUB)
      .i32Const(0)
      .op(Num.I32_GE_S);
    code.if().call(this.#kill).end();
  }

  /** (address, length): marks the pages of a range, unless it reaches out of the memory: then nothing will be written. */
  mark(memory: number): number {
    return this.#marks[memory] as number;
  }

  /** (address, value, length): `memory.fill` with marks, in pieces. */
  fill(memory: number): number {
    let index = this.#fills.get(memory);
    if (index === undefined) this.#fills.set(memory, (index = this.#addFill(memory)));
    return index;
  }

  /** (target, source, length): `memory.copy` with marks, in pieces. */
  copy(target: number, source: number): number {
    const key = `${target} ${source}`;
    let index = this.#copies.get(key);
    if (index === undefined) this.#copies.set(key, (index = this.#addCopy(target, source)));
    return index;
  }

  #addMark(memory: MemoryLayout): number {
    const [at, length, first] = [0, 1, 2];
    return this.#added.add([I32, I32], [], [I32], (code) => {
      code.localGet(length).op(Num.I32_EQZ).if().op(Op.RETURN).end();
      isOutside(code, memory.index, at, length);
      code.if().op(Op.RETURN).end();
      page(code.localGet(at)).localTee(first).i32Const(memory.mapBase).op(Num.I32_ADD);
      code.i32Const(1);
      code.localGet(at).localGet(length).op(Num.I32_ADD).i32Const(1).op(Num.I32_SUB);
      page(code).localGet(first).op(Num.I32_SUB).i32Const(1).op(Num.I32_ADD);
      code.memoryFill(this.#layout.dirtyMemory);
    });
  }

  #addFill(memory: number): number {
    const [at, value, length] = [0, 1, 2];
    return this.#added.add([I32, I32, I32], [], [], (code) => {
      this.check(code);
      code.localGet(at).localGet(length).call(this.mark(memory));
      code.block();
      this.#skipUnlessLong(code, length, () => isOutside(code, memory, at, length));
      code.loop();
      code.localGet(at).localGet(value).i32Const(PIECE_BYTES).memoryFill(memory);
      advance(code, at, PIECE_BYTES);
      advance(code, length, -PIECE_BYTES);
      this.check(code);
      code.localGet(length).i32Const(PIECE_BYTES).op(Num.I32_GT_U).brIf(0);
      code.end().end();
      code.localGet(at).localGet(value).localGet(length).memoryFill(memory);
    });
  }

  /** Pieces go upwards, or downwards where the target overlaps the rest of the source from above. */
  #addCopy(target: number, source: number): number {
    const [to, from, length] = [0, 1, 2];
    return this.#added.add([I32, I32, I32], [], [], (code) => {
      this.check(code);
      code.localGet(to).localGet(length).call(this.mark(target));
      code.block();
      this.#skipUnlessLong(code, length, () => {
        isOutside(code, target, to, length);
        isOutside(code, source, from, length);
        code.op(Num.I32_OR);
      });
      code.localGet(to).localGet(from).op(Num.I32_GT_U).if();
      code.loop();
      advance(code, length, -PIECE_BYTES);
      code.localGet(to).localGet(length).op(Num.I32_ADD).localGet(from).localGet(length).op(Num.I32_ADD);
      code.i32Const(PIECE_BYTES).memoryCopy(target, source);
      this.check(code);
      code.localGet(length).i32Const(PIECE_BYTES).op(Num.I32_GT_U).brIf(0);
      code.end().else();
      code.loop();
      code.localGet(to).localGet(from).i32Const(PIECE_BYTES).memoryCopy(target, source);
      advance(code, to, PIECE_BYTES);
      advance(code, from, PIECE_BYTES);
      advance(code, length, -PIECE_BYTES);
      this.check(code);
      code.localGet(length).i32Const(PIECE_BYTES).op(Num.I32_GT_U).brIf(0);
      code.end().end().end();
      code.localGet(to).localGet(from).localGet(length).memoryCopy(target, source);
    });
  }

  /** Leaves the enclosing block when one plain operation does: it is short, or it traps and must do so as a whole. */
  #skipUnlessLong(code: Assembler, length: number, outside: () => void): void {
    code
      .localGet(length)
      .i32Const(PIECE_BYTES + 1)
      .op(Num.I32_LT_U)
      .brIf(0);
    outside();
    code.brIf(0);
  }

  #setKilled(code: Assembler, value: 0 | 1): void {
    code.i32Const(0).i32Const(value).access(Op.I32_STORE, this.#layout.dirtyMemory, Mailbox.KILLED);
  }

  #addArm(): number {
    return this.#added.add([I32], [], [], (code) => code.localGet(0).globalSet(this.#layout.deadline));
  }

  /** The guest's `handle`, with its result in the mailbox. */
  #addHandle(handle: number): number {
    return this.#added.add([I32, I32], [], [], (code) => {
      code.i32Const(0).localGet(0).localGet(1).call(handle);
      code.access(Op.I64_STORE, this.#layout.dirtyMemory, Mailbox.RESULT_LENGTH);
    });
  }

  #addSnapshot(): number {
    const { shadows, memories, tainted, dirtyMemory } = this.#layout;
    return this.#added.add([], [], [], (code) => {
      for (const { global, shadow } of shadows) code.globalGet(global).globalSet(shadow);
      for (const { index, snapshotSize, imageAt, imageFirst, imageEnd } of memories) {
        code.memorySize(index).globalSet(snapshotSize);
        for (const [word, global] of [imageAt, imageFirst, imageEnd].entries()) {
          code.i32Const(0).access(Op.I32_LOAD, dirtyMemory, Mailbox.IMAGES + index * IMAGE_BYTES + word * 4);
          code.globalSet(global);
        }
      }
      code.i32Const(0).globalSet(tainted);
    });
  }

  /** Returns the number of pages it put back, or −1 when the instance cannot be used again. */
  #addRestore(): number {
    const { shadows, memories, tainted, dirtyMemory } = this.#layout;
    const restoreMemory = memories.map((memory) => this.#addRestoreMemory(memory));
    return this.#added.add([], [I32], [], (code) => {
      this.#setKilled(code, 0);
      code.globalGet(tainted);
      for (const memory of memories) {
        code.memorySize(memory.index).globalGet(memory.snapshotSize).op(Num.I32_NE, Num.I32_OR);
      }
      code.if();
      for (const memory of memories) {
        code.i32Const(memory.mapBase).i32Const(0);
        code.memorySize(memory.index).i32Const(MAP_BITS).op(Num.I32_SHL).memoryFill(dirtyMemory);
      }
      code.i32Const(-1).op(Op.RETURN).end();
      for (const { global, shadow } of shadows) code.globalGet(shadow).globalSet(global);
      code.i32Const(0);
      for (const index of restoreMemory) code.call(index).op(Num.I32_ADD);
    });
  }

  /** Scans the map 64 bytes at a time, then by words, and puts back every marked page. Returns how many. */
  #addRestoreMemory(memory: MemoryLayout): number {
    const { dirtyMemory } = this.#layout;
    const restorePage = this.#addRestorePage(memory);
    const [at, end, stop, count, word] = [0, 1, 2, 3, 4];
    const base = memory.mapBase;
    return this.#added.add([], [I32], [I32, I32, I32, I32, I64], (code) => {
      code.memorySize(memory.index).i32Const(MAP_BITS).op(Num.I32_SHL).localSet(end);
      code.block().loop();
      code.localGet(at).localGet(end).op(Num.I32_GE_U).brIf(1);
      for (let part = 0; part < 64; part += 16) {
        code.localGet(at).access(Op.V128_LOAD, dirtyMemory, base + part);
        if (part > 0) code.op(0xfd, 0x50); // v128.or
      }
      code.op(0xfd, 0x53).op(Num.I32_EQZ).if(); // v128.any_true
      advance(code, at, 64);
      code.br(1).end();
      code.localGet(at).i32Const(64).op(Num.I32_ADD).localSet(stop);
      code.loop();
      code
        .localGet(at)
        .access(Op.I64_LOAD, dirtyMemory, base)
        .localTee(word)
        .op(Num.I64_EQZ, Num.I32_EQZ)
        .if();
      code.localGet(at).op(Op.I64_CONST, 0).access(Op.I64_STORE, dirtyMemory, base);
      code.loop();
      code.localGet(word).op(Num.I64_CTZ, Op.I64_CONST, 3, Num.I64_SHR_U, Num.I32_WRAP_I64);
      code.localGet(at).op(Num.I32_ADD).call(restorePage);
      advance(code, count, 1);
      // A mark is the lowest bit of its byte, so clearing the lowest bit of the word clears one mark.
      code.localGet(word).localGet(word).op(Op.I64_CONST, 1, Num.I64_SUB, Num.I64_AND).localTee(word);
      code.op(Num.I64_EQZ, Num.I32_EQZ).brIf(0);
      code.end().end();
      advance(code, at, 8);
      code.localGet(at).localGet(stop).op(Num.I32_LT_U).brIf(0);
      code.end().br(0).end().end();
      code.localGet(count);
    });
  }

  /** (page): copies it, and the start of the next, back from the image; pages outside the image were zero. */
  #addRestorePage(memory: MemoryLayout): number {
    const [number, length] = [0, 1];
    return this.#added.add([I32], [], [I32], (code) => {
      code.i32Const(DIRTY_PAGE_BYTES + STRADDLE_BYTES).localSet(length);
      code.memorySize(memory.index).i32Const(MAP_BITS).op(Num.I32_SHL).i32Const(1).op(Num.I32_SUB);
      code.localGet(number).op(Num.I32_EQ).if().i32Const(DIRTY_PAGE_BYTES).localSet(length).end();
      code.localGet(number).globalGet(memory.imageFirst).op(Num.I32_GE_U);
      code.localGet(number).globalGet(memory.imageEnd).op(Num.I32_LT_U, Num.I32_AND).if();
      address(code.localGet(number));
      address(code.localGet(number).globalGet(memory.imageFirst).op(Num.I32_SUB));
      code.globalGet(memory.imageAt).op(Num.I32_ADD);
      code.localGet(length).memoryCopy(memory.index, this.#layout.imageMemory);
      code.else();
      address(code.localGet(number));
      code.i32Const(0).localGet(length).memoryFill(memory.index).end();
    });
  }
}

/** Page number of the address on the stack. */
function page(code: Assembler): Assembler {
  return code.i32Const(DIRTY_PAGE_BITS).op(Num.I32_SHR_U);
}

/** Address of the page number on the stack. */
function address(code: Assembler): void {
  code.i32Const(DIRTY_PAGE_BITS).op(Num.I32_SHL);
}

function advance(code: Assembler, local: number, by: number): void {
  code.localGet(local).i32Const(by).op(Num.I32_ADD).localSet(local);
}

/** Leaves 1 when the range in the two locals reaches beyond the memory. In 64 bits, so that it cannot wrap. */
function isOutside(code: Assembler, memory: number, at: number, length: number): void {
  code.localGet(at).op(Num.I64_EXTEND_I32_U).localGet(length).op(Num.I64_EXTEND_I32_U, Num.I64_ADD);
  code.memorySize(memory).op(Num.I64_EXTEND_I32_U, Op.I64_CONST, 16, Num.I64_SHL, Num.I64_GT_U);
}
