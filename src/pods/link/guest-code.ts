import { accessBytes, hasLane, isStore, storedType } from '../../runtime/module/access.ts';
import type { AddedFunctions } from '../../runtime/module/added-functions.ts';
import { Assembler, Num } from '../../runtime/module/assembler.ts';
import { Instructions } from '../../runtime/module/instructions.ts';
import { Op } from '../../runtime/module/opcodes.ts';
import { Reader } from '../../runtime/module/reader.ts';
import { ScratchLocals } from '../../runtime/module/scratch-locals.ts';
import { I32, V128, type ValueType, writeValueType } from '../../runtime/module/value-types.ts';
import type { Writer } from '../../runtime/module/writer.ts';
import { writeZero } from '../../runtime/module/zero.ts';
import { PAGE_BYTES } from '../../runtime/prepare/host.ts';
import { DIRTY_PAGE_BITS } from '../../runtime/prepare/layout.ts';
import { RecentCode } from '../../runtime/prepare/recent-code.ts';
import type { CallGraph } from './call-graph.ts';
import { isDivision, isPartial, partialFunction } from './checked-numbers.ts';
import type { FunctionFacts, GuestFacts } from './facts.ts';
import { type GuestRuntime, LOOP_FUEL } from './guest-runtime.ts';
import { type PodLayout, REACH_BYTES, SLACK_BYTES } from './layout.ts';
import { LocalFacts } from './local-facts.ts';
import { type Renumbering, writeRenumbered } from './renumbering.ts';
import type { TableRuntime } from './table-runtime.ts';

/** What the rewriter needs to know about the whole guest. */
export interface GuestContext {
  readonly layout: PodLayout;
  readonly facts: GuestFacts;
  readonly graph: CallGraph;
  readonly importedFunctions: number;
  readonly to: Renumbering;
  readonly added: AddedFunctions;
  readonly runtime: GuestRuntime;
  readonly tables: TableRuntime;
}

/** The two blocks around the code of a function: leaving the inner one traps, leaving the outer one unwinds. */
const AROUND = 2;

/**
 * Rewrites the functions of the guest for its place in the pod, one after another: addresses, indexes, marks, checks.
 *
 *     block            ;; unwind: leave the function, its results are zeros
 *       block          ;; trap: say so, then unwind
 *         …            ;; the code, with `br_if` out of these blocks where it would trap and after calls
 *         return
 *       end
 *       call $trap
 *     end
 *     zeros
 */
export class GuestCode {
  readonly #context: GuestContext;
  readonly #code = new Assembler(65_536);
  readonly #head = new Assembler(1024);
  readonly #scratch = new ScratchLocals();
  readonly #recent = new RecentCode();
  readonly #known = new LocalFacts();
  #loops = 0;
  #facts: FunctionFacts | null = null;
  #source: Reader = new Reader(new Uint8Array(0));
  /** The source is written up to here. */
  #copied = 0;
  /** Blocks that are open, ours around the code not counted. */
  #nesting = 0;
  #around = 0;
  #keepsStack = false;

  constructor(context: GuestContext) {
    this.#context = context;
  }

  /** Rewrites function `number` among the defined ones, and appends it with its length to `section`. */
  rewrite(source: Uint8Array, number: number, section: Writer): void {
    const facts = this.#context.facts.functions[number] as FunctionFacts;
    const body = new Reader(source, facts.start, facts.end);
    this.#begin(body, facts);
    if (facts.canStop) this.#writeGuarded(body, facts, number);
    else this.#writeCode(body, body.end);
    this.#writeHead(facts, source);
    section.u32(this.#head.length + this.#code.length);
    section.bytes(this.#head.written());
    section.bytes(this.#code.written());
  }

  #begin(body: Reader, facts: FunctionFacts): void {
    const { type, locals, codeStart, canStop } = facts;
    this.#scratch.reset(type.parameters.length + locals);
    this.#code.clear();
    this.#source = body;
    this.#recent.forget();
    this.#known.reset();
    this.#facts = facts;
    this.#loops = 0;
    this.#nesting = 0;
    this.#around = canStop ? AROUND : 0;
    body.at = this.#copied = codeStart;
  }

  #writeHead({ start, groups, codeStart }: FunctionFacts, source: Uint8Array): void {
    const declared = new Reader(source, start, codeStart);
    declared.u32();
    this.#head.clear();
    this.#head.u32(groups + this.#scratch.added.length);
    this.#head.bytes(source, declared.at, codeStart);
    for (const type of this.#scratch.added) {
      this.#head.u32(1);
      writeValueType(this.#head, type);
    }
  }

  #writeGuarded(body: Reader, facts: FunctionFacts, number: number): void {
    const code = this.#code;
    code.block().block();
    if (facts.loops.length > 0) code.i32Const(LOOP_FUEL).localSet(this.#local('fuel'));
    this.#enter(facts, number);
    this.#writeCode(body, body.end - 1);
    code.op(Op.RETURN).end().call(this.#context.runtime.trap).end();
    for (const type of facts.type.results) writeZero(code, type);
    code.end();
  }

  /** A counted function takes stack and fuel; one that calls such gives them back what stack it had. */
  #enter(facts: FunctionFacts, number: number): void {
    const { graph, layout, importedFunctions, runtime } = this.#context;
    const code = this.#code;
    this.#keepsStack =
      graph.isCounted(number) ||
      facts.indirectCalls.length > 0 ||
      facts.calls.some((func) => func >= importedFunctions && graph.spendsStack(func - importedFunctions));
    if (!this.#keepsStack) return;
    const left = this.#local('stack');
    code.globalGet(layout.stack);
    if (!graph.isCounted(number)) {
      code.localSet(left);
      return;
    }
    code.i32Const(graph.stackOf(number)).op(Num.I32_SUB).localTee(left).globalSet(layout.stack);
    code.localGet(left).i32Const(0).op(Num.I32_LT_S);
    this.#trapIf();
    code.globalGet(layout.fuel).i32Const(1).op(Num.I32_SUB).globalSet(layout.fuel);
    code.globalGet(layout.fuel).i32Const(0).op(Num.I32_LT_S).if();
    code.i32Const(1).call(runtime.spend).brIf(2).end();
  }

  /** The code up to `end`. */
  #writeCode(body: Reader, end: number): void {
    for (const at = new Instructions(body); !at.done;) {
      at.next();
      this.#writeInstruction(at);
      this.#recent.passed(at);
    }
    this.#copyTo(end);
  }

  #writeInstruction(at: Instructions): void {
    const { opcode } = at;
    if (accessBytes(opcode) > 0) return isStore(opcode) ? this.#store(at) : this.#load(at);
    if (isPartial(opcode)) return this.#partial(at);
    switch (opcode) {
      case Op.BLOCK:
      case Op.IF:
        this.#nesting++;
        this.#known.enterBlock(opcode === Op.IF ? 'if' : 'block');
        return this.#renumber(at);
      case Op.LOOP:
        return this.#loop(at);
      case Op.ELSE:
        return this.#known.else();
      case Op.END:
        this.#nesting--;
        return this.#known.end();
      case Op.LOCAL_SET:
      case Op.LOCAL_TEE:
        return this.#known.wasSet(at.first);
      default:
        if (!this.#control(at) && !this.#memory(at) && !this.#table(at)) this.#renumber(at);
    }
  }

  /** Instructions that leave: where to is two blocks further out when it is the function. */
  #control(at: Instructions): boolean {
    switch (at.opcode) {
      case Op.UNREACHABLE:
        this.#replace(at).br(this.#nesting);
        return true;
      case Op.BR:
      case Op.BR_IF:
        this.#known.branchesTo(at.first);
        if (at.first === this.#nesting)
          this.#replace(at)
            .op(at.opcode)
            .u32(at.first + this.#around);
        return true;
      case Op.BR_TABLE:
        this.#branchTable(at);
        return true;
      case Op.CALL:
      case Op.CALL_INDIRECT:
        this.#call(at);
        return true;
      case Op.RETURN_CALL:
      case Op.RETURN_CALL_INDIRECT:
        this.#call(at);
        this.#code.op(Op.RETURN);
        return true;
      default:
        return false;
    }
  }

  #branchTable(at: Instructions): void {
    const labels = new Reader(this.#source.bytes, at.immediates, at.end);
    const code = this.#replace(at).op(Op.BR_TABLE);
    const count = labels.u32();
    code.u32(count);
    for (let left = count; left >= 0; left--) {
      const label = labels.u32();
      this.#known.branchesTo(label);
      code.u32(label === this.#nesting ? label + this.#around : label);
    }
  }

  /** Tail calls become calls: WasmEdge does not know them, and the limit of the stack ends those that never end. */
  #call(at: Instructions): void {
    const { to, facts, graph, importedFunctions, tables } = this.#context;
    const code = this.#replace(at);
    if (at.opcode === Op.CALL_INDIRECT || at.opcode === Op.RETURN_CALL_INDIRECT) {
      code.i32Const(facts.typeIds[at.first] as number).call(tables.check(at.second));
      this.#unwindIfStopped();
      code.op(Op.CALL_INDIRECT).u32(to.type(at.first));
      code.u32(to.table(at.second));
      this.#unwindIfStopped();
      return this.#putStackBack();
    }
    code.call(to.func(at.first));
    const callee = at.first - importedFunctions;
    if (callee < 0 || (facts.functions[callee] as FunctionFacts).canStop) this.#unwindIfStopped();
    if (callee >= 0 && graph.spendsStack(callee)) this.#putStackBack();
  }

  #putStackBack(): void {
    if (this.#keepsStack) this.#code.localGet(this.#local('stack')).globalSet(this.#context.layout.stack);
  }

  #loop(at: Instructions): void {
    this.#nesting++;
    this.#known.enterLoop(this.#facts?.loops[this.#loops++] ?? []);
    this.#renumber(at);
    this.#copyTo(at.end);
    const fuel = this.#local('fuel');
    const code = this.#code;
    code.localGet(fuel).i32Const(1).op(Num.I32_SUB).localTee(fuel).op(Num.I32_EQZ).if();
    code.i32Const(LOOP_FUEL).localSet(fuel);
    code.i32Const(LOOP_FUEL).call(this.#context.runtime.spend);
    code.brIf(this.#nesting + AROUND).end();
  }

  #load(at: Instructions): void {
    if (hasLane(at.opcode)) return this.#loadLane(at);
    this.#copyTo(at.start);
    const local = this.#recent.topLocal();
    if (!this.#isInsideAlways(at, this.#recent.topConstant())) {
      if (local >= 0) this.#checkKnown(at, local);
      else {
        const address = this.#local('address');
        this.#code.localTee(address);
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

  #store(at: Instructions): void {
    const constant = this.#recent.addressConstant();
    if (this.#isInsideAlways(at, constant)) return this.#storeAtConstant(at, constant as number);
    const known = this.#recent.addressLocal();
    if (known >= 0) return this.#storeAtLocal(at, known);
    const address = this.#checkBelow(at, storedType(at.opcode));
    this.#writeAccess(at);
    this.#mark(address, this.#reaches(at) ? 0 : at.offset);
  }

  /** Checks the address below the value on top of the stack, and returns the local that has it. */
  #checkBelow(at: Instructions, type: ValueType): number {
    this.#copyTo(at.start);
    const value = this.#scratch.get(`value ${type}`, type);
    const address = this.#local('address');
    this.#code.localSet(value).localTee(address);
    this.#check(at, address);
    this.#code.localGet(value);
    return address;
  }

  #storeAtLocal(at: Instructions, address: number): void {
    this.#copyTo(at.start);
    this.#checkKnown(at, address);
    this.#writeAccess(at);
    if (!this.#reaches(at)) return this.#mark(address, at.offset);
    if (this.#known.isMarked(address)) return;
    this.#known.wasMarked(address);
    this.#mark(address, 0);
  }

  #storeAtConstant(at: Instructions, address: number): void {
    this.#copyTo(at.start);
    this.#writeAccess(at);
    const page = (address + at.offset) >>> DIRTY_PAGE_BITS;
    if (this.#known.isPageMarked(page)) return;
    this.#known.pageWasMarked(page);
    this.#code
      .i32Const(0)
      .i32Const(1)
      .access(Op.I32_STORE8, 0, this.#context.layout.mapAt + page);
  }

  /** Whether a mark of the page of the address alone stands for what the store writes. */
  #reaches(at: Instructions): boolean {
    return at.offset + accessBytes(at.opcode) <= REACH_BYTES;
  }

  /** Marks after the store: the address is known to be inside the memory by then, and so inside the map. */
  #mark(address: number, offset: number): void {
    const code = this.#code.localGet(address);
    if (offset !== 0) code.i32Const(offset).op(Num.I32_ADD);
    code.i32Const(DIRTY_PAGE_BITS).op(Num.I32_SHR_U).i32Const(1);
    code.access(Op.I32_STORE8, 0, this.#context.layout.mapAt);
  }

  /** Whether the address is a constant, and the access inside the memory from its beginning. */
  #isInsideAlways(at: Instructions, address: number | null): boolean {
    const { minimumPages } = this.#context.layout;
    return address !== null && address + at.offset + accessBytes(at.opcode) <= minimumPages * PAGE_BYTES;
  }

  #checkKnown(at: Instructions, address: number): void {
    const isShort = this.#isShort(at);
    if (isShort && this.#known.isInside(address)) return;
    this.#check(at, address);
    if (isShort) this.#known.foundInside(address);
  }

  /** Traps for an address outside the memory. What is on the stack does not matter. */
  #check(at: Instructions, address: number): void {
    const { bytes } = this.#context.layout;
    const code = this.#code.localGet(address);
    if (this.#isShort(at)) code.globalGet(bytes).op(Num.I32_GE_U);
    else {
      code
        .op(Num.I64_EXTEND_I32_U)
        .i64Const(BigInt(at.offset + accessBytes(at.opcode)))
        .op(Num.I64_ADD);
      code.globalGet(bytes).op(Num.I64_EXTEND_I32_U, Num.I64_GT_U);
    }
    this.#trapIf();
  }

  #isShort(at: Instructions): boolean {
    return at.offset + accessBytes(at.opcode) <= SLACK_BYTES;
  }

  /** The access itself, moved to the guest's place. An offset that does not fit was found to be outside. */
  #writeAccess(at: Instructions): void {
    const code = this.#code;
    const { bytes } = this.#source;
    code.bytes(bytes, at.start, at.immediates);
    code.u32(at.alignment);
    code.u32(Math.min(at.offset + this.#context.layout.base, 0xffff_ffff));
    if (hasLane(at.opcode)) code.u8(bytes[at.end - 1] as number);
    this.#copied = at.end;
  }

  #partial(at: Instructions): void {
    const divisor = this.#recent.topConstant();
    if (isDivision(at.opcode) && divisor !== null && divisor > 0 && divisor < 2 ** 31) return;
    const { runtime, added } = this.#context;
    this.#replace(at).call(partialFunction(at.opcode, runtime, added));
    this.#unwindIfStopped();
  }

  #memory(at: Instructions): boolean {
    const { layout, runtime, to } = this.#context;
    switch (at.opcode) {
      case Op.MEMORY_SIZE:
        this.#replace(at).globalGet(layout.pages);
        return true;
      case Op.MEMORY_GROW:
        this.#replace(at).call(runtime.grow());
        return true;
      case Op.MEMORY_FILL:
        return this.#callInstead(at, runtime.fill());
      case Op.MEMORY_COPY:
        return this.#callInstead(at, runtime.copy());
      case Op.MEMORY_INIT:
        return this.#callInstead(at, runtime.init(at.first, to.data(at.first)));
      case Op.DATA_DROP:
        return this.#drop(at, layout.data[at.first]?.dropped ?? null);
      default:
        return false;
    }
  }

  #table(at: Instructions): boolean {
    const { layout, tables, to } = this.#context;
    const { first, second } = at;
    switch (at.opcode) {
      case Op.TABLE_GET:
        return this.#callInstead(at, tables.get(first));
      case Op.TABLE_SET:
        return this.#callInstead(at, tables.set(first));
      case Op.TABLE_SIZE:
        tables.size(this.#replace(at), first);
        return true;
      case Op.TABLE_GROW:
        this.#replace(at).call(tables.grow(first));
        return true;
      case Op.TABLE_FILL:
        return this.#callInstead(at, tables.fill(first));
      case Op.TABLE_COPY:
        return this.#callInstead(at, tables.copy(first, second));
      case Op.TABLE_INIT:
        return this.#callInstead(at, tables.init(second, first, to.element(first)));
      case Op.ELEM_DROP:
        return this.#drop(at, layout.elements[first]?.dropped ?? null);
      default:
        return false;
    }
  }

  #callInstead(at: Instructions, func: number): true {
    this.#replace(at).call(func);
    this.#unwindIfStopped();
    return true;
  }

  /** Nothing is dropped but in name: the next run finds the segment again. */
  #drop(at: Instructions, dropped: number | null): true {
    const code = this.#replace(at);
    if (dropped !== null) code.i32Const(1).globalSet(dropped);
    return true;
  }

  #trapIf(): void {
    this.#code.brIf(this.#nesting);
  }

  #unwindIfStopped(): void {
    this.#code.globalGet(this.#context.layout.status).brIf(this.#nesting + 1);
  }

  #renumber(at: Instructions): void {
    this.#copyTo(at.start);
    if (writeRenumbered(this.#code, at, this.#context.to)) this.#copied = at.end;
  }

  /** What comes now stands for the instruction. */
  #replace(at: Instructions): Assembler {
    this.#copyTo(at.start);
    this.#copied = at.end;
    return this.#code;
  }

  #local(purpose: string): number {
    return this.#scratch.get(purpose, I32);
  }

  #copyTo(end: number): void {
    this.#code.bytes(this.#source.bytes, this.#copied, end);
    this.#copied = end;
  }
}
