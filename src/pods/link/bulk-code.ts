import type { Instructions } from '../../runtime/module/instructions.ts';
import { Op } from '../../runtime/module/opcodes.ts';
import type { CodeCopy } from './code-copy.ts';
import type { GuestContext } from './guest-code.ts';

/** Instructions about whole ranges of the memory and about tables: mostly calls of what does them with checks. */
export class BulkCode {
  readonly #copy: CodeCopy;
  readonly #context: GuestContext;

  constructor(copy: CodeCopy, context: GuestContext) {
    this.#copy = copy;
    this.#context = context;
  }

  /** False: it is none of the memory's. */
  memory(at: Instructions): boolean {
    const { layout, runtime, to } = this.#context;
    switch (at.opcode) {
      case Op.MEMORY_SIZE:
        this.#copy.replace(at).globalGet(layout.pages);
        return true;
      case Op.MEMORY_GROW:
        this.#copy.replace(at).call(runtime.grow());
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

  /** False: it is none of a table's. */
  table(at: Instructions): boolean {
    const { layout, tables, to } = this.#context;
    const { first, second } = at;
    switch (at.opcode) {
      case Op.TABLE_GET:
        return this.#callInstead(at, tables.get(first));
      case Op.TABLE_SET:
        return this.#callInstead(at, tables.set(first));
      case Op.TABLE_SIZE:
        tables.size(this.#copy.replace(at), first);
        return true;
      case Op.TABLE_GROW:
        this.#copy.replace(at).call(tables.grow(first));
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
    this.#copy.replace(at).call(func);
    this.#copy.unwindIfStopped();
    return true;
  }

  /** Nothing is dropped but in name: the next run finds the segment again. */
  #drop(at: Instructions, dropped: number | null): true {
    const code = this.#copy.replace(at);
    if (dropped !== null) code.i32Const(1).globalSet(dropped);
    return true;
  }
}
