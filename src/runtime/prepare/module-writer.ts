import { AddedFunctions } from '../module/added-functions.ts';
import { FunctionRewriter } from './function-body.ts';
import { HOST, MAX_PAGES, PAGE_BYTES } from './host.ts';
import type { Layout } from './layout.ts';
import { capTables, checkFunctionLength } from './module-limits.ts';
import { EXTERNAL_KINDS, type FunctionType, type ModuleParts, signature } from '../module/module-parts.ts';
import { Op } from '../module/opcodes.ts';
import { Reader } from '../module/reader.ts';
import { RuntimeFunctions } from './runtime-functions.ts';
import { Section } from '../module/sections.ts';
import { writeValueType } from '../module/value-types.ts';
import { Writer } from '../module/writer.ts';
import { writeZero } from '../module/zero.ts';

const WITH_MAXIMUM = 0x01;
const SHARED = 0x02;

/** Writes the sections of the rewritten module in their order. */
export class ModuleWriter {
  readonly #parts: ModuleParts;
  readonly #layout: Layout;
  readonly #added: AddedFunctions;
  readonly #runtime: RuntimeFunctions;
  readonly #out: Writer;

  constructor(parts: ModuleParts, layout: Layout) {
    this.#parts = parts;
    this.#layout = layout;
    this.#added = new AddedFunctions(parts.types.length, parts.functions.length);
    this.#runtime = new RuntimeFunctions(layout, this.#added, handlerOf(parts));
    this.#out = new Writer(parts.sections.bytes.length * 2 + 4096);
  }

  write(): Uint8Array<ArrayBuffer> {
    const code = this.#rewriteCode(); // first: it decides which functions and types are added
    const added = this.#added;
    this.#out.bytes(this.#parts.sections.bytes, 0, 8);
    this.#extend(Section.TYPE, added.types.length, (section) =>
      added.types.forEach((type) => writeType(section, type)),
    );
    this.#extend(Section.IMPORT, this.#layout.memories.length + 3, (section) =>
      this.#writeMemoryImports(section),
    );
    this.#extend(Section.FUNCTION, added.count, (section) => added.writeTypeIndexes(section));
    if (this.#parts.tables.length > 0) this.#section(Section.TABLE, (section) => this.#writeTables(section));
    this.#copy(Section.TAG);
    this.#extend(Section.GLOBAL, this.#layout.addedGlobals.length, (section) => this.#writeGlobals(section));
    this.#extend(Section.EXPORT, this.#exportCount(), (section) => this.#writeExports(section));
    this.#copy(Section.ELEMENT);
    this.#copy(Section.DATA_COUNT);
    this.#section(Section.CODE, (section) => section.bytes(code.written()));
    this.#copy(Section.DATA);
    const { names } = this.#parts.sections;
    if (names !== null) this.#section(Section.CUSTOM, (section) => section.bytes(names));
    return this.#out.written().slice() as Uint8Array<ArrayBuffer>;
  }

  #rewriteCode(): Writer {
    const { sections } = this.#parts;
    const source = sections.reader(Section.CODE);
    const count = source?.count() ?? 0;
    const bodies = new Writer(sections.bytes.length * 2);
    if (source !== null) this.#rewriteBodies(source, count, bodies);
    const section = new Writer(bodies.length + 4096);
    section.u32(count + this.#added.count);
    section.bytes(bodies.written());
    this.#added.writeBodies(section);
    return section;
  }

  #rewriteBodies(source: Reader, count: number, bodies: Writer): void {
    const { importedFunctions, functions, types } = this.#parts;
    const rewriter = new FunctionRewriter(this.#layout, this.#runtime);
    for (let index = importedFunctions; index < importedFunctions + count; index++) {
      const length = source.u32();
      checkFunctionLength(index, length);
      const start = source.at;
      source.skip(length);
      const type = types[functions[index] as number] as FunctionType;
      rewriter.rewrite(new Reader(source.bytes, start, source.at), type.parameters.length, bodies);
    }
  }

  #writeMemoryImports(section: Writer): void {
    for (const { index, maximumPages } of this.#layout.memories) {
      const minimum = this.#parts.memories[index]?.minimum ?? 0;
      writeMemoryImport(section, `memory${index}`, WITH_MAXIMUM, minimum, maximumPages);
    }
    writeMemoryImport(section, 'epoch', WITH_MAXIMUM | SHARED, 1, 1);
    writeMemoryImport(section, 'image', WITH_MAXIMUM, 0, MAX_PAGES);
    writeMemoryImport(
      section,
      'dirty',
      WITH_MAXIMUM,
      Math.ceil(this.#layout.mapBytes / PAGE_BYTES),
      MAX_PAGES,
    );
  }

  #writeTables(section: Writer): void {
    const maxima = capTables(this.#parts);
    section.u32(this.#parts.tables.length);
    this.#parts.tables.forEach(({ element, limits }, index) => {
      writeValueType(section, element);
      section.u8(WITH_MAXIMUM);
      section.u32(limits.minimum);
      section.u32(maxima[index] as number);
    });
  }

  #writeGlobals(section: Writer): void {
    for (const type of this.#layout.addedGlobals) {
      writeValueType(section, type);
      section.u8(1); // mutable
      writeZero(section, type);
      section.u8(Op.END);
    }
  }

  #exportCount(): number {
    return this.#runtime.exports.size + (this.#parts.start === null ? 0 : 1);
  }

  #writeExports(section: Writer): void {
    const write = (name: string, index: number) => {
      section.name(`${HOST} ${name}`);
      section.u8(EXTERNAL_KINDS.indexOf('function'));
      section.u32(index);
    };
    for (const [name, index] of this.#runtime.exports) write(name, index);
    if (this.#parts.start !== null) write('start', this.#parts.start);
  }

  /** A section with entries of ours after the guest's. */
  #extend(id: number, addedCount: number, writeAdded: (section: Writer) => void): void {
    const source = this.#parts.sections.reader(id);
    const count = source === null ? 0 : source.count();
    this.#section(id, (section) => {
      section.u32(count + addedCount);
      if (source !== null) section.bytes(source.bytes, source.at, source.end);
      writeAdded(section);
    });
  }

  #copy(id: number): void {
    const source = this.#parts.sections.reader(id);
    if (source !== null) this.#section(id, (section) => section.bytes(source.bytes, source.at, source.end));
  }

  #section(id: number, write: (section: Writer) => void): void {
    const section = new Writer(1024);
    write(section);
    this.#out.u8(id);
    this.#out.sized(section.written());
  }
}

/** The guest's `handle` (docs/reference/guest-abi.md), told by name and type. */
function handlerOf({ exports, functions, types }: ModuleParts): number | null {
  const handle = exports.find(({ name, kind }) => name === 'handle' && kind === 'function');
  if (handle === undefined) return null;
  const type = types[functions[handle.index] as number];
  return type !== undefined && signature(type) === '(i32, i32) -> i64' ? handle.index : null;
}

function writeType(section: Writer, type: FunctionType): void {
  section.u8(0x60);
  for (const list of [type.parameters, type.results]) {
    section.u32(list.length);
    for (const value of list) writeValueType(section, value);
  }
}

function writeMemoryImport(
  section: Writer,
  name: string,
  flags: number,
  minimum: number,
  maximum: number,
): void {
  section.name(HOST);
  section.name(name);
  section.u8(EXTERNAL_KINDS.indexOf('memory'));
  section.u8(flags);
  section.u32(minimum);
  section.u32(maximum);
}
