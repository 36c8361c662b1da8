import { isStore, storedType } from '../module/access.ts';
import { Assembler, Num } from '../module/assembler.ts';
import { Instructions } from '../module/instructions.ts';
import { DIRTY_PAGE_BITS, type Layout } from './layout.ts';
import { Op } from '../module/opcodes.ts';
import { Reader } from '../module/reader.ts';
import { RecentCode } from './recent-code.ts';
import type { RuntimeFunctions } from './runtime-functions.ts';
import { ScratchLocals } from '../module/scratch-locals.ts';
import { I32, readValueType, type ValueType, writeValueType } from '../module/value-types.ts';
import type { Writer } from '../module/writer.ts';

/** A function without calls is not checked at its entry if its body is at most this long: it ends by itself, soon. */
const LEAF_BYTES = 128;
/** In functions longer than this, every call is checked: thousands of calls of leaves in a row take time. */
const LONG_BYTES = 8192;

/** Rewrites function bodies one after another; its buffers are reused. */
export class FunctionRewriter {
  readonly #layout: Layout;
  readonly #runtime: RuntimeFunctions;
  readonly #code = new Assembler(65_536);
  readonly #head = new Assembler(1024);
  readonly #scratch = new ScratchLocals();
  readonly #recent = new RecentCode();
  #source: Uint8Array = new Uint8Array(0);
  /** The source is written up to here. */
  #copied = 0;
  #hasCalls = false;
  #isLong = false;

  constructor(layout: Layout, runtime: RuntimeFunctions) {
    this.#layout = layout;
    this.#runtime = runtime;
  }

  /** Rewrites the body that `body` reads (without its length before it) and appends it, with its length, to `section`. */
  rewrite(body: Reader, parameters: number, section: Writer): void {
    const length = body.end - body.at;
    const groups = body.u32();
    const declarations = body.at;
    this.#scratch.reset(parameters + skipLocals(body, groups));
    const codeStart = body.at;
    this.#rewriteCode(body, length > LONG_BYTES);
    this.#head.clear();
    this.#head.u32(groups + this.#scratch.added.length);
    this.#head.bytes(body.bytes, declarations, codeStart);
    for (const type of this.#scratch.added) {
      this.#head.u32(1);
      writeValueType(this.#head, type);
    }
    if (this.#hasCalls || length > LEAF_BYTES) this.#runtime.check(this.#head);
    section.u32(this.#head.length + this.#code.length);
    section.bytes(this.#head.written());
    section.bytes(this.#code.written());
  }

  #rewriteCode(body: Reader, isLong: boolean): void {
    this.#code.clear();
    this.#source = body.bytes;
    this.#copied = body.at;
    this.#hasCalls = false;
    this.#isLong = isLong;
    this.#recent.forget();
    const instructions = new Instructions(body);
    while (!instructions.done) {
      instructions.next();
      this.#rewriteInstruction(instructions);
      this.#recent.passed(instructions);
    }
    this.#copyTo(body.end);
  }

  #rewriteInstruction(at: Instructions): void {
    const { opcode } = at;
    if (isStore(opcode)) return this.#markStore(at, storedType(opcode));
    switch (opcode) {
      case Op.LOOP:
        this.#copyTo(at.end);
        return this.#runtime.check(this.#code);
      case Op.CALL:
      case Op.CALL_INDIRECT:
      case Op.RETURN_CALL:
      case Op.RETURN_CALL_INDIRECT:
        this.#hasCalls = true;
        if (this.#isLong) this.#checkBefore(at);
        return;
      case Op.MEMORY_FILL:
        return this.#replaceByCall(at, this.#runtime.fill(at.first));
      case Op.MEMORY_COPY:
        return this.#replaceByCall(at, this.#runtime.copy(at.first, at.second));
      case Op.MEMORY_INIT:
        return this.#markRange(at);
      case Op.TABLE_SET:
      case Op.TABLE_INIT:
      case Op.TABLE_COPY:
      case Op.TABLE_GROW:
      case Op.TABLE_FILL:
      case Op.ELEM_DROP:
      case Op.DATA_DROP:
        return this.#taint(at);
      case Op.MEMORY_GROW:
      case Op.THROW:
      case Op.RETHROW:
      case Op.THROW_REF:
        return this.#checkBefore(at);
    }
  }

  /**
   * Marks the page where the store begins, after it: then the address is known to be inside the memory, and so inside the map.
   * Not when an earlier mark covers it.
   */
  #markStore(at: Instructions, type: ValueType): void {
    const memory = this.#layout.memories[at.memory];
    if (memory === undefined) throw new RangeError(`memory ${at.memory} does not exist`);
    const code = this.#code;
    const known = this.#recent.addressLocal();
    if (this.#recent.covers(known, at)) return;
    const address = known >= 0 ? known : this.#scratch.get('address', I32);
    if (known < 0) {
      const value = this.#scratch.get(`value ${type}`, type);
      this.#copyTo(at.start);
      code.localSet(value).localTee(address).localGet(value);
    }
    this.#copyTo(at.end);
    if (known >= 0) this.#recent.marked(known, at);
    code.localGet(address);
    if (at.offset !== 0) code.i32Const(at.offset).op(Num.I32_ADD);
    code.i32Const(DIRTY_PAGE_BITS).op(Num.I32_SHR_U).i32Const(1);
    code.access(Op.I32_STORE8, this.#layout.dirtyMemory, memory.mapBase);
  }

  /** memory.init: the segment bounds its length, so it needs no pieces. */
  #markRange(at: Instructions): void {
    const [target, source, length] = ['address', 'source', 'length'].map((name) =>
      this.#scratch.get(name, I32),
    ) as [number, number, number];
    this.#checkBefore(at);
    const code = this.#code;
    code
      .localSet(length)
      .localSet(source)
      .localTee(target)
      .localGet(length)
      .call(this.#runtime.mark(at.second));
    code.localGet(target).localGet(source).localGet(length);
  }

  /** What follows changes something that restore does not undo. */
  #taint(at: Instructions): void {
    this.#checkBefore(at);
    this.#code.i32Const(1).globalSet(this.#layout.tainted);
  }

  #checkBefore(at: Instructions): void {
    this.#copyTo(at.start);
    this.#runtime.check(this.#code);
  }

  #replaceByCall(at: Instructions, func: number): void {
    this.#copyTo(at.start);
    this.#code.call(func);
    this.#copied = at.end;
  }

  #copyTo(end: number): void {
    this.#code.bytes(this.#source, this.#copied, end);
    this.#copied = end;
  }
}

/** Steps over `groups` groups of local declarations and returns how many locals they declare. */
function skipLocals(body: Reader, groups: number): number {
  let locals = 0;
  for (let group = 0; group < groups; group++) {
    locals += body.u32();
    readValueType(body);
  }
  return locals;
}
