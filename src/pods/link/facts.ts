import { accessBytes } from '../../runtime/module/access.ts';
import { Instructions } from '../../runtime/module/instructions.ts';
import type { FunctionType, ModuleParts } from '../../runtime/module/module-parts.ts';
import { Op } from '../../runtime/module/opcodes.ts';
import { Reader } from '../../runtime/module/reader.ts';
import { Section } from '../../runtime/module/sections.ts';
import { readValueType } from '../../runtime/module/value-types.ts';
import { checkFunctionLength } from '../../runtime/prepare/module-limits.ts';
import { CodeShape } from './code-shape.ts';
import { isPartial } from './checked-numbers.ts';
import type { Constant } from './constant.ts';
import type { Segments } from './segments.ts';
import { refuseInstruction, refuseValueType } from './wasmedge.ts';

const STOPPING: ReadonlySet<number> = new Set([
  Op.UNREACHABLE,
  Op.LOOP,
  Op.CALL,
  Op.CALL_INDIRECT,
  Op.RETURN_CALL,
  Op.RETURN_CALL_INDIRECT,
  Op.MEMORY_INIT,
  Op.MEMORY_COPY,
  Op.MEMORY_FILL,
  Op.TABLE_GET,
  Op.TABLE_SET,
  Op.TABLE_INIT,
  Op.TABLE_COPY,
  Op.TABLE_FILL,
]);

/** What must be known of a function of the guest before it can be rewritten. Functions by their index in the guest. */
export interface FunctionFacts {
  /** Where its body is in the module, without the length before it. */
  readonly start: number;
  readonly end: number;
  /** Groups of local declarations, and where the code behind them begins. */
  readonly groups: number;
  readonly codeStart: number;
  readonly type: FunctionType;
  readonly locals: number;
  readonly calls: readonly number[];
  /** Type ids (see `typeIds`) of its indirect calls. */
  readonly indirectCalls: readonly number[];
  /** For each loop, in the order of their beginnings: the locals that are set in it. */
  readonly loops: readonly ReadonlySet<number>[];
  /** Whether a call of it can return. */
  readonly returns: boolean;
  /** Whether it can end a run: it has calls, loops or something that traps. */
  readonly canStop: boolean;
}

export interface GuestFacts {
  /** The functions that the guest defines, in order. */
  readonly functions: readonly FunctionFacts[];
  /** For each type: a number from 1 on, equal for equal types. */
  readonly typeIds: readonly number[];
  /** Functions that can be reached through references. */
  readonly referenced: ReadonlySet<number>;
  /** What instructions write to or drop, by index. */
  readonly changed: Changed;
}

export interface Changed {
  readonly globals: ReadonlySet<number>;
  readonly tables: ReadonlySet<number>;
  /** Those tables among them that can grow. */
  readonly grownTables: ReadonlySet<number>;
  readonly data: ReadonlySet<number>;
  readonly elements: ReadonlySet<number>;
}

/** Reads the code of the guest once, without changing anything. Refuses what WasmEdge does not run. */
export function readFacts(parts: ModuleParts, segments: Segments): GuestFacts {
  return new FactsReader(parts, segments).facts;
}

class FactsReader {
  readonly facts: GuestFacts;
  readonly #parts: ModuleParts;
  readonly #typeIds: readonly number[];
  readonly #referenced = new Set<number>();
  readonly #changed = {
    globals: new Set<number>(),
    tables: new Set<number>(),
    grownTables: new Set<number>(),
    data: new Set<number>(),
    elements: new Set<number>(),
  };

  constructor(parts: ModuleParts, segments: Segments) {
    this.#parts = parts;
    this.#typeIds = numberTypes(parts.types);
    const constants = [...segments.globals, ...segments.elements.flatMap(({ elements }) => elements)];
    for (const constant of constants) this.#noteConstant(constant);
    this.facts = {
      functions: this.#readCode(),
      typeIds: this.#typeIds,
      referenced: this.#referenced,
      changed: this.#changed,
    };
  }

  #noteConstant(constant: Constant): void {
    if (constant.kind === 'function') this.#referenced.add(constant.index);
  }

  #readCode(): FunctionFacts[] {
    const { sections, functions, importedFunctions, types } = this.#parts;
    const code = sections.reader(Section.CODE);
    if (code === null) return [];
    return Array.from({ length: code.count() }, (_, number) => {
      const length = code.u32();
      const index = importedFunctions + number;
      checkFunctionLength(index, length);
      const start = code.at;
      code.skip(length);
      const type = types[functions[index] as number] as FunctionType;
      return this.#readBody(new Reader(code.bytes, start, code.at), type);
    });
  }

  #readBody(body: Reader, type: FunctionType): FunctionFacts {
    const start = body.at;
    const { groups, locals } = readLocals(body);
    const codeStart = body.at;
    const calls: number[] = [];
    const indirectCalls: number[] = [];
    const shape = new CodeShape();
    let canStop = false;
    for (const at = new Instructions(body); !at.done;) {
      at.next();
      refuseInstruction(at);
      shape.passed(at);
      canStop ||= canStopRun(at.opcode);
      if (at.opcode === Op.CALL || at.opcode === Op.RETURN_CALL) calls.push(at.first);
      else if (at.opcode === Op.CALL_INDIRECT || at.opcode === Op.RETURN_CALL_INDIRECT) {
        indirectCalls.push(this.#typeIds[at.first] as number);
      } else if (at.opcode === Op.REF_FUNC) this.#referenced.add(at.first);
      else this.#noteChange(at);
    }
    const { loops, returns } = shape;
    return {
      start,
      end: body.end,
      groups,
      codeStart,
      type,
      locals,
      calls,
      indirectCalls,
      loops,
      returns,
      canStop,
    };
  }

  #noteChange({ opcode, first, second }: Instructions): void {
    const { globals, tables, grownTables, data, elements } = this.#changed;
    switch (opcode) {
      case Op.GLOBAL_SET:
        globals.add(first);
        return;
      case Op.TABLE_GROW:
        grownTables.add(first);
        tables.add(first);
        return;
      case Op.TABLE_SET:
      case Op.TABLE_FILL:
      case Op.TABLE_COPY:
        tables.add(first);
        return;
      case Op.TABLE_INIT:
        tables.add(second);
        return;
      case Op.DATA_DROP:
        data.add(first);
        return;
      case Op.ELEM_DROP:
        elements.add(first);
    }
  }
}

function readLocals(body: Reader): { groups: number; locals: number } {
  const groups = body.u32();
  let locals = 0;
  for (let group = 0; group < groups; group++) {
    locals += body.u32();
    refuseValueType(readValueType(body), `byte ${body.at}`);
  }
  return { groups, locals };
}

function canStopRun(opcode: number): boolean {
  return STOPPING.has(opcode) || accessBytes(opcode) > 0 || isPartial(opcode);
}

function numberTypes(types: readonly FunctionType[]): number[] {
  const ids = new Map<string, number>();
  return types.map(({ parameters, results }) => {
    const key = `${parameters.join()}:${results.join()}`;
    const id = ids.get(key) ?? ids.size + 1;
    ids.set(key, id);
    return id;
  });
}
