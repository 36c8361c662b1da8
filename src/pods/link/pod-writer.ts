import { Assembler } from '../../runtime/module/assembler.ts';
import { EXTERNAL_KINDS, type ModuleParts } from '../../runtime/module/module-parts.ts';
import { Op } from '../../runtime/module/opcodes.ts';
import type { Reader } from '../../runtime/module/reader.ts';
import { Section } from '../../runtime/module/sections.ts';
import { FUNCREF, I32, type ValueType, writeValueType } from '../../runtime/module/value-types.ts';
import { Writer } from '../../runtime/module/writer.ts';
import { writeZero } from '../../runtime/module/zero.ts';
import { PAGE_BYTES } from '../../runtime/prepare/host.ts';
import { writeAdapterCode } from './adapter-code.ts';
import type { AdapterImports } from './adapter-imports.ts';
import { type Constant, writeConstant } from './constant.ts';
import { GuestCode, type GuestContext } from './guest-code.ts';
import { FUEL, STACK_BYTES } from './guest-runtime.ts';
import { brokenAdapter, functionExport, type Places } from './index-spaces.ts';
import type { PodOptions } from './layout.ts';
import type { Renumbering } from './renumbering.ts';
import { type ElementSegment, readSegments, type Segments } from './segments.ts';
import { type PodData, podData } from './pod-data.ts';

export interface PodInput {
  readonly adapter: ModuleParts;
  readonly guest: ModuleParts;
  readonly segments: Segments;
  readonly context: GuestContext;
  readonly places: Places;
  readonly options: PodOptions;
}

const WITH_MAXIMUM = 1;
const LAST_DEADLINE = 2n ** 63n - 1n;
const PREAMBLE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** Writes the sections of the pod in their order: of each what the adapter has, what the guest has, and what we add. */
export class PodWriter {
  readonly #input: PodInput;
  readonly #adapterSegments: Segments;
  readonly #out: Writer;

  constructor(input: PodInput) {
    this.#input = input;
    this.#adapterSegments = readSegments(input.adapter);
    this.#out = new Writer(input.guest.sections.bytes.length * 2 + 65_536);
  }

  /** The bodies of the guest's functions. */
  writeGuestCode(): Writer {
    const { guest, context } = this.#input;
    const bodies = new Writer(guest.sections.bytes.length * 2);
    const code = new GuestCode(context);
    context.facts.functions.forEach((_, number) => code.rewrite(guest.sections.bytes, number, bodies));
    return bodies;
  }

  write(guestCode: Writer, imports: AdapterImports): Uint8Array<ArrayBuffer> {
    const adapterTo = this.#input.places.adapter((name) => imports.functions.get(name) ?? unused(name));
    this.#out.bytes(PREAMBLE);
    this.#section(Section.TYPE, (section) => this.#writeTypes(section));
    this.#section(Section.IMPORT, (section) => this.#writeImports(section));
    this.#section(Section.FUNCTION, (section) => this.#writeFunctions(section));
    this.#section(Section.TABLE, (section) => this.#writeTables(section));
    this.#section(Section.MEMORY, (section) => this.#writeMemory(section));
    this.#section(Section.GLOBAL, (section) => this.#writeGlobals(section, adapterTo));
    this.#section(Section.EXPORT, (section) => this.#writeExports(section, adapterTo));
    const { start } = this.#input.adapter;
    if (start !== null) this.#section(Section.START, (section) => section.u32(adapterTo.func(start)));
    this.#section(Section.ELEMENT, (section) => this.#writeElements(section, adapterTo));
    const data = podData(this.#input, this.#adapterSegments);
    this.#section(Section.DATA_COUNT, (section) => section.u32(data.length));
    this.#section(Section.CODE, (section) => this.#writeCode(section, adapterTo, imports, guestCode));
    this.#section(Section.DATA, (section) => writeData(section, data));
    return this.#out.written().slice() as Uint8Array<ArrayBuffer>;
  }

  #writeTypes(section: Writer): void {
    const { adapter, guest, context } = this.#input;
    section.u32(adapter.types.length + guest.types.length + context.added.types.length);
    for (const parts of [adapter, guest]) copyEntries(section, parts.sections.reader(Section.TYPE));
    context.added.types.forEach(({ parameters, results }) => {
      section.u8(0x60);
      for (const list of [parameters, results]) {
        section.u32(list.length);
        for (const type of list) writeValueType(section, type);
      }
    });
  }

  #writeImports(section: Writer): void {
    const { adapter, places } = this.#input;
    section.u32(places.keptImports.length);
    for (const index of places.keptImports) {
      const { module, name, kind } = adapter.imports[index] as ModuleParts['imports'][number];
      if (kind !== 'function') throw brokenAdapter(`it imports the ${kind} ${module}.${name}`);
      section.name(module);
      section.name(name);
      section.u8(EXTERNAL_KINDS.indexOf(kind));
      section.u32(adapter.functions[index] as number);
    }
  }

  #writeFunctions(section: Writer): void {
    const { adapter, guest, context, places } = this.#input;
    const [own, foreign] = [adapter, guest].map((parts) => parts.functions.slice(parts.importedFunctions));
    section.u32((own as number[]).length + (foreign as number[]).length + context.added.count);
    for (const type of own as number[]) section.u32(type);
    for (const type of foreign as number[]) section.u32(places.guest.type(type));
    context.added.writeTypeIndexes(section);
  }

  #writeTables(section: Writer): void {
    const { adapter, context } = this.#input;
    const { tables, addedTables } = context.layout;
    section.u32(adapter.tables.length + tables.length + addedTables.length);
    for (const { element, limits } of adapter.tables) {
      writeTable(section, element, limits.minimum, limits.maximum ?? limits.minimum);
    }
    for (const { element, minimum, maximum } of [...tables, ...addedTables]) {
      writeTable(section, element, minimum, maximum);
    }
  }

  #writeMemory(section: Writer): void {
    const { initialPages, maximumPages, base, slackPages } = this.#input.context.layout;
    section.u32(1);
    section.u8(WITH_MAXIMUM);
    section.u32(initialPages);
    section.u32(base / PAGE_BYTES + maximumPages + slackPages);
  }

  #writeGlobals(section: Writer, adapterTo: Renumbering): void {
    const { adapter, guest, segments, context, places } = this.#input;
    const { addedGlobals } = context.layout;
    section.u32(adapter.globals.length + guest.globals.length + addedGlobals.length);
    const write = (parts: ModuleParts, values: readonly Constant[], to: Renumbering) =>
      parts.globals.forEach(({ type, mutable }, index) => {
        writeValueType(section, type);
        section.u8(mutable ? 1 : 0);
        writeConstant(section, values[index] as Constant, to.func);
      });
    write(adapter, this.#adapterSegments.globals, adapterTo);
    write(guest, segments.globals, places.guest);
    const initial = this.#initialValues();
    addedGlobals.forEach((type, number) => {
      writeValueType(section, type);
      section.u8(1); // mutable
      const value = initial.get(adapter.globals.length + guest.globals.length + number);
      if (value === undefined) writeZero(section, type);
      else {
        section.u8(type === I32 ? Op.I32_CONST : Op.I64_CONST);
        section.s64(value);
      }
      section.u8(Op.END);
    });
  }

  /** By index of the global. A run that was not armed has no deadline. */
  #initialValues(): Map<number, bigint> {
    const { pages, bytes, minimumPages, fuel, stack, deadline, tables } = this.#input.context.layout;
    const values = new Map([
      [pages, BigInt(minimumPages)],
      [bytes, BigInt(minimumPages * PAGE_BYTES)],
      [fuel, BigInt(FUEL)],
      [stack, BigInt(STACK_BYTES)],
      [deadline, LAST_DEADLINE],
    ]);
    for (const { size, minimum } of tables) if (size !== null) values.set(size, BigInt(minimum));
    return values;
  }

  #writeExports(section: Writer, adapterTo: Renumbering): void {
    const start = functionExport(this.#input.adapter, '_start');
    if (start === undefined) throw brokenAdapter('it does not export _start');
    section.u32(2);
    section.name('memory');
    section.u8(EXTERNAL_KINDS.indexOf('memory'));
    section.u32(0);
    section.name('_start');
    section.u8(EXTERNAL_KINDS.indexOf('function'));
    section.u32(adapterTo.func(start));
  }

  #writeElements(section: Writer, adapterTo: Renumbering): void {
    const { segments, context, places } = this.#input;
    const own = this.#adapterSegments.elements;
    const declared = [...context.facts.referenced].map(places.guest.func);
    section.u32(own.length + segments.elements.length + 1);
    for (const segment of own) writeElements(section, segment, adapterTo);
    for (const segment of segments.elements) writeElements(section, segment, places.guest);
    section.u32(3); // declared functions: code may take references of them
    section.u8(0);
    section.u32(declared.length);
    for (const func of declared) section.u32(func);
  }

  #writeCode(section: Writer, adapterTo: Renumbering, imports: AdapterImports, guestCode: Writer): void {
    const { adapter, guest, context } = this.#input;
    section.u32(
      adapter.functions.length -
        adapter.importedFunctions +
        (guest.functions.length - guest.importedFunctions) +
        context.added.count,
    );
    writeAdapterCode(adapter, adapterTo, imports.inlined, section);
    section.bytes(guestCode.written());
    context.added.writeBodies(section);
  }

  #section(id: number, write: (section: Writer) => void): void {
    const section = new Assembler(1024);
    write(section);
    this.#out.u8(id);
    this.#out.sized(section.written());
  }
}

function unused(name: string): never {
  throw brokenAdapter(`it takes a reference of guest.${name}`);
}

function copyEntries(section: Writer, source: Reader | null): void {
  if (source === null) return;
  source.count();
  section.bytes(source.bytes, source.at, source.end);
}

function writeTable(section: Writer, element: ValueType, minimum: number, maximum: number): void {
  writeValueType(section, element);
  section.u8(WITH_MAXIMUM);
  section.u32(minimum);
  section.u32(maximum);
}

/** Functions by their indexes, which is short; where there are nulls, as expressions. */
function writeElements(
  section: Writer,
  { mode, table, at, type, elements }: ElementSegment,
  to: Renumbering,
): void {
  const functions = elements.flatMap((element) =>
    element.kind === 'function' ? [to.func(element.index)] : [],
  );
  const isShort = type === FUNCREF && functions.length === elements.length;
  section.u32((mode === 'active' ? 2 : mode === 'passive' ? 1 : 3) + (isShort ? 0 : 4));
  if (at !== null) {
    section.u32(to.table(table));
    writeConstant(section, at, to.func);
  }
  if (isShort) section.u8(0);
  else writeValueType(section, type);
  section.u32(elements.length);
  if (isShort) for (const func of functions) section.u32(func);
  else for (const element of elements) writeConstant(section, element, to.func);
}

function writeData(section: Writer, data: readonly PodData[]): void {
  section.u32(data.length);
  for (const { at, bytes } of data) {
    section.u32(at === null ? 1 : 0);
    if (at !== null) {
      section.u8(Op.I32_CONST);
      section.s32(at);
      section.u8(Op.END);
    }
    section.sized(bytes);
  }
}
