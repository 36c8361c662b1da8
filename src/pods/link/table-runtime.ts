import type { AddedFunctions } from '../../runtime/module/added-functions.ts';
import { type Assembler, Num } from '../../runtime/module/assembler.ts';
import { MISC, Op } from '../../runtime/module/opcodes.ts';
import { FUNCREF, I32 } from '../../runtime/module/value-types.ts';
import { type GuestRuntime, sizeUnlessDropped } from './guest-runtime.ts';
import type { PodLayout, TableLayout } from './layout.ts';

/** The number of the type of an element whose function is not known: it was computed. Zero stands for null. */
const UNKNOWN_TYPE = 0xffff;

/**
 * Tables of the guest, without traps. WebAssembly cannot ask a reference for its type, so the linker keeps the number of
 * the type of every element in memory, beside the table, and every change keeps both in step.
 */
export class TableRuntime {
  readonly #layout: PodLayout;
  readonly #added: AddedFunctions;
  readonly #runtime: GuestRuntime;

  constructor(layout: PodLayout, added: AddedFunctions, runtime: GuestRuntime) {
    this.#layout = layout;
    this.#added = added;
    this.#runtime = runtime;
  }

  /** (index, type id) -> index: traps unless the element is a function of this type. */
  check(table: number): number {
    const [at, id, found] = [0, 1, 2];
    const layout = this.#table(table);
    return this.#once('check', table, () =>
      this.#added.add([I32, I32], [I32], [I32], (code) => {
        code.localGet(at);
        this.size(code, table);
        code.op(Num.I32_LT_U).if();
        typeAddress(code, at).access(Op.I32_LOAD16_U, 0, layout.typesAt, 1).localTee(found);
        code.localGet(id).op(Num.I32_EQ).if().localGet(at).op(Op.RETURN).end();
        code
          .localGet(found)
          .i32Const(UNKNOWN_TYPE)
          .op(Num.I32_EQ)
          .if()
          .localGet(at)
          .op(Op.RETURN)
          .end()
          .end();
        code.call(this.#runtime.trap).i32Const(0);
      }),
    );
  }

  /** Pushes the size of the table as the guest sees it. */
  size(code: Assembler, table: number): void {
    const { size, minimum } = this.#table(table);
    if (size === null) code.i32Const(minimum);
    else code.globalGet(size);
  }

  /** (index) -> element */
  get(table: number): number {
    const { index, element } = this.#table(table);
    return this.#once('get', table, () =>
      this.#added.add([I32], [element], [], (code) => {
        code.localGet(0);
        this.size(code, table);
        code.op(Num.I32_GE_U).if().call(this.#runtime.trap).op(Op.REF_NULL, element, Op.RETURN).end();
        code.localGet(0).op(Op.TABLE_GET).u32(index);
      }),
    );
  }

  /** (index, element) */
  set(table: number): number {
    const layout = this.#table(table);
    return this.#once('set', table, () =>
      this.#added.add([I32, layout.element], [], [], (code) => {
        code.localGet(0);
        this.size(code, table);
        code.op(Num.I32_GE_U).if().call(this.#runtime.trap).op(Op.RETURN).end();
        this.#change(code, layout);
        if (layout.element === FUNCREF) {
          typeAddress(code, 0);
          typeOf(code, 1).access(Op.I32_STORE16, 0, layout.typesAt, 1);
        }
        code.localGet(0).localGet(1).op(Op.TABLE_SET).u32(layout.index);
      }),
    );
  }

  /** (index, element, length) */
  fill(table: number): number {
    const layout = this.#table(table);
    const [at, value, length] = [0, 1, 2];
    return this.#once('fill', table, () =>
      this.#added.add([I32, layout.element, I32], [], [], (code) => {
        this.#runtime.returnIfBeyond(code, at, length, () => this.size(code, table));
        this.#change(code, layout);
        code
          .localGet(at)
          .localGet(value)
          .localGet(length)
          .op(0xfc, Op.TABLE_FILL - MISC)
          .u32(layout.index);
        this.#fillTypes(code, layout, at, value, length);
      }),
    );
  }

  /** (element, count) -> old size, or −1. What is there already, from an earlier run, is used again. */
  grow(table: number): number {
    const layout = this.#table(table);
    const size = layout.size as number;
    const [value, more, at, missing, old] = [0, 1, 2, 3, 4];
    return this.#once('grow', table, () =>
      this.#added.add([layout.element, I32], [I32], [I32, I32, I32], (code) => {
        code.globalGet(size).localTee(at).localSet(old);
        code.localGet(more).i32Const(layout.maximum).localGet(at).op(Num.I32_SUB, Num.I32_GT_U);
        code.if().i32Const(-1).op(Op.RETURN).end();
        code
          .localGet(at)
          .localGet(more)
          .op(Num.I32_ADD)
          .op(0xfc, Op.TABLE_SIZE - MISC)
          .u32(layout.index);
        code.op(Num.I32_SUB).localTee(missing).i32Const(0).op(Num.I32_GT_S).if();
        code
          .op(Op.REF_NULL, layout.element)
          .localGet(missing)
          .op(0xfc, Op.TABLE_GROW - MISC)
          .u32(layout.index);
        code.i32Const(-1).op(Num.I32_EQ).if().i32Const(-1).op(Op.RETURN).end().end();
        this.#change(code, layout);
        code.localGet(at).localGet(more).op(Num.I32_ADD).globalSet(size);
        code
          .localGet(at)
          .localGet(value)
          .localGet(more)
          .op(0xfc, Op.TABLE_FILL - MISC)
          .u32(layout.index);
        this.#fillTypes(code, layout, at, value, more);
        code.localGet(old);
      }),
    );
  }

  /** (target, source, length) */
  copy(target: number, source: number): number {
    const [into, out] = [this.#table(target), this.#table(source)];
    const [to, from, length] = [0, 1, 2];
    return this.#once(`copy ${source}`, target, () =>
      this.#added.add([I32, I32, I32], [], [], (code) => {
        this.#runtime.returnIfBeyond(code, to, length, () => this.size(code, target));
        this.#runtime.returnIfBeyond(code, from, length, () => this.size(code, source));
        this.#change(code, into);
        code
          .localGet(to)
          .localGet(from)
          .localGet(length)
          .op(0xfc, Op.TABLE_COPY - MISC);
        code.u32(into.index);
        code.u32(out.index);
        this.#copyTypes(code, into, out.typesAt);
      }),
    );
  }

  /** (target, source, length): from the guest's segment; `index` is its number in the pod. */
  init(table: number, segment: number, index: number): number {
    const layout = this.#table(table);
    const {
      length: elements,
      dropped,
      typesAt,
    } = this.#layout.elements[segment] as PodLayout['elements'][number];
    const [to, from, length] = [0, 1, 2];
    return this.#once(`init ${segment}`, table, () =>
      this.#added.add([I32, I32, I32], [], [], (code) => {
        this.#runtime.returnIfBeyond(code, to, length, () => this.size(code, table));
        this.#runtime.returnIfBeyond(code, from, length, () => sizeUnlessDropped(code, elements, dropped));
        code.localGet(length).op(Num.I32_EQZ).if().op(Op.RETURN).end(); // the segment may be gone
        this.#change(code, layout);
        code
          .localGet(to)
          .localGet(from)
          .localGet(length)
          .op(0xfc, Op.TABLE_INIT - MISC);
        code.u32(index);
        code.u32(layout.index);
        this.#copyTypes(code, layout, typesAt);
      }),
    );
  }

  /** Code for the snapshot: the tables as they are now. */
  snapshot(code: Assembler): void {
    for (const table of this.#layout.addedTables) {
      const { index, shadow, changed } = table;
      code.op(Op.REF_NULL, table.element);
      code.op(0xfc, Op.TABLE_SIZE - MISC).u32(index);
      code.op(0xfc, Op.TABLE_SIZE - MISC).u32(shadow as number);
      code.op(Num.I32_SUB, 0xfc, Op.TABLE_GROW - MISC).u32(shadow as number);
      code.op(Op.DROP);
      copyWhole(code, shadow as number, index, index);
      this.#copyAllTypes(code, table, table.savedTypesAt, table.typesAt);
      code.i32Const(0).globalSet(changed as number);
    }
  }

  /** Code that puts every changed table back. What it grew by is null again. */
  restore(code: Assembler): void {
    for (const table of this.#layout.addedTables) {
      const { index, shadow, changed } = table;
      code.globalGet(changed as number).if();
      copyWhole(code, index, shadow as number, shadow as number);
      this.#copyAllTypes(code, table, table.typesAt, table.savedTypesAt);
      code.end();
    }
  }

  #change(code: Assembler, { changed }: TableLayout): void {
    code.i32Const(1).globalSet(changed as number);
  }

  #fillTypes(code: Assembler, layout: TableLayout, at: number, value: number, length: number): void {
    if (layout.element !== FUNCREF) return;
    code.block().loop();
    code.localGet(length).op(Num.I32_EQZ).brIf(1);
    typeAddress(code, at);
    typeOf(code, value).access(Op.I32_STORE16, 0, layout.typesAt, 1);
    code.localGet(at).i32Const(1).op(Num.I32_ADD).localSet(at);
    code.localGet(length).i32Const(1).op(Num.I32_SUB).localSet(length);
    code.br(0).end().end();
  }

  /** Types of `length` (local 2) elements, from the array at `source` to that of the table. */
  #copyTypes(code: Assembler, { element, typesAt }: TableLayout, source: number): void {
    if (element !== FUNCREF) return;
    const shift = (local: number) => code.localGet(local).i32Const(1).op(Num.I32_SHL);
    shift(0).i32Const(typesAt).op(Num.I32_ADD);
    shift(1).i32Const(source).op(Num.I32_ADD);
    shift(2).memoryCopy(0, 0);
  }

  #copyAllTypes(code: Assembler, { element, index }: TableLayout, target: number, source: number): void {
    if (element !== FUNCREF) return;
    code.i32Const(target).i32Const(source);
    code.op(0xfc, Op.TABLE_SIZE - MISC).u32(index);
    code.i32Const(1).op(Num.I32_SHL).memoryCopy(0, 0);
  }

  #table(table: number): TableLayout {
    return this.#layout.tables[table] as TableLayout;
  }

  #once(what: string, table: number, add: () => number): number {
    return this.#runtime.once(`table ${table} ${what}`, add);
  }
}

const SELECT = 0x1b;

/** Copies the first elements: as many as `counted` has. */
function copyWhole(code: Assembler, target: number, source: number, counted: number): void {
  code.i32Const(0).i32Const(0);
  code.op(0xfc, Op.TABLE_SIZE - MISC).u32(counted);
  code.op(0xfc, Op.TABLE_COPY - MISC);
  code.u32(target);
  code.u32(source);
}

/** Pushes how far into the array of types the element is. */
function typeAddress(code: Assembler, at: number): Assembler {
  return code.localGet(at).i32Const(1).op(Num.I32_SHL);
}

/** Pushes the number of the type of the reference in the local, as far as it is known. */
function typeOf(code: Assembler, value: number): Assembler {
  return code.i32Const(0).i32Const(UNKNOWN_TYPE).localGet(value).op(Op.REF_IS_NULL, SELECT);
}
