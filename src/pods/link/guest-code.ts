import { accessBytes, isStore } from '../../runtime/module/access.ts';
import type { AddedFunctions } from '../../runtime/module/added-functions.ts';
import { Assembler, Num } from '../../runtime/module/assembler.ts';
import { Instructions } from '../../runtime/module/instructions.ts';
import { Op } from '../../runtime/module/opcodes.ts';
import { Reader } from '../../runtime/module/reader.ts';
import { writeValueType } from '../../runtime/module/value-types.ts';
import type { Writer } from '../../runtime/module/writer.ts';
import { writeZero } from '../../runtime/module/zero.ts';
import { AccessCode } from './access-code.ts';
import { BulkCode } from './bulk-code.ts';
import type { CallGraph } from './call-graph.ts';
import { isDivision, isPartial, partialFunction } from './checked-numbers.ts';
import { CodeCopy } from './code-copy.ts';
import type { FunctionFacts, GuestFacts } from './facts.ts';
import { type GuestRuntime, LOOP_FUEL } from './guest-runtime.ts';
import type { PodLayout } from './layout.ts';
import type { Renumbering } from './renumbering.ts';
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
  readonly #copy: CodeCopy;
  readonly #access: AccessCode;
  readonly #bulk: BulkCode;
  readonly #head = new Assembler(1024);
  #loops = 0;
  #facts: FunctionFacts | null = null;
  #around = 0;
  #keepsStack = false;

  constructor(context: GuestContext) {
    this.#context = context;
    this.#copy = new CodeCopy(context.to, context.layout.status);
    this.#access = new AccessCode(this.#copy, context.layout);
    this.#bulk = new BulkCode(this.#copy, context);
  }

  /** Rewrites function `number` among the defined ones, and appends it with its length to `section`. */
  rewrite(source: Uint8Array, number: number, section: Writer): void {
    const facts = this.#context.facts.functions[number] as FunctionFacts;
    const body = new Reader(source, facts.start, facts.end);
    this.#begin(body, facts);
    if (facts.canStop) this.#writeGuarded(body, facts, number);
    else this.#writeCode(body, body.end);
    this.#writeHead(facts, source);
    section.u32(this.#head.length + this.#copy.code.length);
    section.bytes(this.#head.written());
    section.bytes(this.#copy.code.written());
  }

  #begin(body: Reader, facts: FunctionFacts): void {
    const { type, locals, codeStart, canStop } = facts;
    this.#copy.begin(body, codeStart, type.parameters.length + locals);
    this.#facts = facts;
    this.#loops = 0;
    this.#around = canStop ? AROUND : 0;
  }

  #writeHead({ start, groups, codeStart }: FunctionFacts, source: Uint8Array): void {
    const declared = new Reader(source, start, codeStart);
    declared.u32();
    this.#head.clear();
    this.#head.u32(groups + this.#copy.scratch.added.length);
    this.#head.bytes(source, declared.at, codeStart);
    for (const type of this.#copy.scratch.added) {
      this.#head.u32(1);
      writeValueType(this.#head, type);
    }
  }

  #writeGuarded(body: Reader, facts: FunctionFacts, number: number): void {
    const code = this.#copy.code;
    code.block().block();
    if (facts.loops.length > 0) code.i32Const(LOOP_FUEL).localSet(this.#copy.local('fuel'));
    this.#enter(facts, number);
    this.#writeCode(body, body.end - 1);
    code.op(Op.RETURN).end().call(this.#context.runtime.trap).end();
    for (const type of facts.type.results) writeZero(code, type);
    code.end();
  }

  /** A counted function takes stack and fuel; one that calls such gives them back what stack it had. */
  #enter(facts: FunctionFacts, number: number): void {
    const { graph, layout, importedFunctions, runtime } = this.#context;
    const code = this.#copy.code;
    this.#keepsStack =
      graph.isCounted(number) ||
      facts.indirectCalls.length > 0 ||
      facts.calls.some((func) => func >= importedFunctions && graph.spendsStack(func - importedFunctions));
    if (!this.#keepsStack) return;
    const left = this.#copy.local('stack');
    code.globalGet(layout.stack);
    if (!graph.isCounted(number)) {
      code.localSet(left);
      return;
    }
    code.i32Const(graph.stackOf(number)).op(Num.I32_SUB).localTee(left).globalSet(layout.stack);
    code.localGet(left).i32Const(0).op(Num.I32_LT_S);
    this.#copy.trapIf();
    code.globalGet(layout.fuel).i32Const(1).op(Num.I32_SUB).globalSet(layout.fuel);
    code.globalGet(layout.fuel).i32Const(0).op(Num.I32_LT_S).if();
    code.i32Const(1).call(runtime.spend).brIf(2).end();
  }

  /** The code up to `end`. */
  #writeCode(body: Reader, end: number): void {
    for (const at = new Instructions(body); !at.done;) {
      at.next();
      this.#writeInstruction(at);
      this.#copy.recent.passed(at);
    }
    this.#copy.copyTo(end);
  }

  #writeInstruction(at: Instructions): void {
    const { opcode } = at;
    if (accessBytes(opcode) > 0) return isStore(opcode) ? this.#access.store(at) : this.#access.load(at);
    if (isPartial(opcode)) return this.#partial(at);
    switch (opcode) {
      case Op.BLOCK:
      case Op.IF:
        this.#copy.nesting++;
        this.#copy.known.enterBlock(opcode === Op.IF ? 'if' : 'block');
        return this.#copy.renumber(at);
      case Op.LOOP:
        return this.#loop(at);
      case Op.ELSE:
        return this.#copy.known.else();
      case Op.END:
        this.#copy.nesting--;
        return this.#copy.known.end();
      case Op.LOCAL_SET:
      case Op.LOCAL_TEE:
        return this.#copy.known.wasSet(at.first);
      default:
        if (!this.#control(at) && !this.#bulk.memory(at) && !this.#bulk.table(at)) this.#copy.renumber(at);
    }
  }

  /** Instructions that leave: where to is two blocks further out when it is the function. */
  #control(at: Instructions): boolean {
    switch (at.opcode) {
      case Op.UNREACHABLE:
        this.#copy.replace(at).br(this.#copy.nesting);
        return true;
      case Op.BR:
      case Op.BR_IF:
        this.#copy.known.branchesTo(at.first);
        if (at.first === this.#copy.nesting)
          this.#copy
            .replace(at)
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
        this.#copy.code.op(Op.RETURN);
        return true;
      default:
        return false;
    }
  }

  #branchTable(at: Instructions): void {
    const labels = new Reader(this.#copy.bytes, at.immediates, at.end);
    const code = this.#copy.replace(at).op(Op.BR_TABLE);
    const count = labels.u32();
    code.u32(count);
    for (let left = count; left >= 0; left--) {
      const label = labels.u32();
      this.#copy.known.branchesTo(label);
      code.u32(label === this.#copy.nesting ? label + this.#around : label);
    }
  }

  /** Tail calls become calls: WasmEdge does not know them, and the limit of the stack ends those that never end. */
  #call(at: Instructions): void {
    const { to, facts, graph, importedFunctions, tables } = this.#context;
    const code = this.#copy.replace(at);
    if (at.opcode === Op.CALL_INDIRECT || at.opcode === Op.RETURN_CALL_INDIRECT) {
      code.i32Const(facts.typeIds[at.first] as number).call(tables.check(at.second));
      this.#copy.unwindIfStopped();
      code.op(Op.CALL_INDIRECT).u32(to.type(at.first));
      code.u32(to.table(at.second));
      this.#copy.unwindIfStopped();
      return this.#putStackBack();
    }
    code.call(to.func(at.first));
    const callee = at.first - importedFunctions;
    if (callee < 0 || (facts.functions[callee] as FunctionFacts).canStop) this.#copy.unwindIfStopped();
    if (callee >= 0 && graph.spendsStack(callee)) this.#putStackBack();
  }

  #putStackBack(): void {
    if (this.#keepsStack)
      this.#copy.code.localGet(this.#copy.local('stack')).globalSet(this.#context.layout.stack);
  }

  #loop(at: Instructions): void {
    this.#copy.nesting++;
    this.#copy.known.enterLoop(this.#facts?.loops[this.#loops++] ?? []);
    this.#copy.renumber(at);
    this.#copy.copyTo(at.end);
    const fuel = this.#copy.local('fuel');
    const code = this.#copy.code;
    code.localGet(fuel).i32Const(1).op(Num.I32_SUB).localTee(fuel).op(Num.I32_EQZ).if();
    code.i32Const(LOOP_FUEL).localSet(fuel);
    code.i32Const(LOOP_FUEL).call(this.#context.runtime.spend);
    code.brIf(this.#copy.nesting + AROUND).end();
  }

  #partial(at: Instructions): void {
    const divisor = this.#copy.recent.topConstant();
    if (isDivision(at.opcode) && divisor !== null && divisor > 0 && divisor < 2 ** 31) return;
    const { runtime, added } = this.#context;
    this.#copy.replace(at).call(partialFunction(at.opcode, runtime, added));
    this.#copy.unwindIfStopped();
  }
}
