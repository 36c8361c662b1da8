import { Assembler } from './assembler.ts';
import { Op } from './opcodes.ts';
import type { FunctionType } from './module-parts.ts';
import { type ValueType, writeValueType } from './value-types.ts';
import type { Writer } from './writer.ts';

interface AddedFunction {
  readonly type: number;
  readonly locals: readonly ValueType[];
  readonly code: Assembler;
}

/** The functions and function types that the rewriter appends to a module. */
export class AddedFunctions {
  readonly types: FunctionType[] = [];
  readonly #functions: AddedFunction[] = [];
  readonly #firstType: number;
  readonly #firstFunction: number;

  constructor(firstType: number, firstFunction: number) {
    this.#firstType = firstType;
    this.#firstFunction = firstFunction;
  }

  get count(): number {
    return this.#functions.length;
  }

  /** Appends a function and returns its index; `write` gives its body without the final `end`. Locals are numbered after the parameters. */
  add(
    parameters: readonly ValueType[],
    results: readonly ValueType[],
    locals: readonly ValueType[],
    write: (code: Assembler) => void,
  ): number {
    const code = new Assembler();
    write(code);
    code.op(Op.END);
    return (
      this.#firstFunction +
      this.#functions.push({ type: this.#typeOf(parameters, results), locals, code }) -
      1
    );
  }

  writeTypeIndexes(section: Writer): void {
    for (const { type } of this.#functions) section.u32(type);
  }

  writeBodies(section: Writer): void {
    for (const { locals, code } of this.#functions) {
      const head = new Assembler(16);
      head.u32(locals.length);
      for (const type of locals) {
        head.u32(1);
        writeValueType(head, type);
      }
      section.u32(head.length + code.length);
      section.bytes(head.written());
      section.bytes(code.written());
    }
  }

  #typeOf(parameters: readonly ValueType[], results: readonly ValueType[]): number {
    const known = this.types.findIndex(
      (type) => `${type.parameters}|${type.results}` === `${parameters}|${results}`,
    );
    return this.#firstType + (known >= 0 ? known : this.types.push({ parameters, results }) - 1);
  }
}
