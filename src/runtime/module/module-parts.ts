import { Instructions } from './instructions.ts';
import { Op } from './opcodes.ts';
import type { Reader } from './reader.ts';
import { malformed, unsupported } from './refusals.ts';
import { Section, Sections } from './sections.ts';
import { readValueType, type ValueType, valueTypeName } from './value-types.ts';

export interface FunctionType {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** Sizes in pages for a memory, in elements for a table. `maximum` null: none declared. */
export interface SizeLimits {
  readonly minimum: number;
  readonly maximum: number | null;
}

export interface GlobalType {
  readonly type: ValueType;
  readonly mutable: boolean;
}

export interface TableType {
  readonly element: ValueType;
  readonly limits: SizeLimits;
}

export type ExternalKind = 'function' | 'table' | 'memory' | 'global' | 'tag';
export const EXTERNAL_KINDS: readonly ExternalKind[] = ['function', 'table', 'memory', 'global', 'tag'];

export interface Import {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternalKind;
  /** Signature of an imported function. */
  readonly type: FunctionType | null;
}

export interface Export {
  readonly name: string;
  readonly kind: ExternalKind;
  readonly index: number;
}

/** An active data segment: bytes [start, end) of a memory that the engine fills at instantiation. `start` null: known only then. */
export interface ActiveData {
  readonly memory: number;
  readonly start: number | null;
  readonly length: number;
}

/** What a module declares, in the order of its index spaces (imports first). The code is read later, one function at a time. */
export interface ModuleParts {
  readonly sections: Sections;
  readonly types: readonly FunctionType[];
  readonly imports: readonly Import[];
  /** Type index of every function, imported ones first. */
  readonly functions: readonly number[];
  readonly importedFunctions: number;
  readonly tables: readonly TableType[];
  readonly memories: readonly SizeLimits[];
  readonly globals: readonly GlobalType[];
  readonly importedGlobals: number;
  /** Type index of every tag. */
  readonly tags: readonly number[];
  readonly exports: readonly Export[];
  readonly start: number | null;
  readonly data: readonly ActiveData[];
}

/** Reads everything but the code. The bytes should have been validated by the engine before. */
export function readModuleParts(bytes: Uint8Array): ModuleParts {
  const sections = new Sections(bytes);
  const types = list(sections, Section.TYPE, readFunctionType);
  const functions: number[] = [];
  const tables: TableType[] = [];
  const memories: SizeLimits[] = [];
  const globals: GlobalType[] = [];
  const tags: number[] = [];
  const readImport = (reader: Reader): Import => {
    const module = reader.name();
    const name = reader.name();
    const kind = readKind(reader);
    if (kind === 'function') functions.push(readIndex(reader, types));
    else if (kind === 'table') tables.push(readTable(reader));
    else if (kind === 'memory') memories.push(readMemory(reader));
    else if (kind === 'global') globals.push(readGlobalType(reader));
    else tags.push(readTag(reader, types));
    return {
      module,
      name,
      kind,
      type: kind === 'function' ? (types[functions.at(-1) as number] as FunctionType) : null,
    };
  };
  const imports = list(sections, Section.IMPORT, readImport);
  const [importedFunctions, importedGlobals] = [functions.length, globals.length];
  functions.push(...list(sections, Section.FUNCTION, (reader) => readIndex(reader, types)));
  tables.push(...list(sections, Section.TABLE, readTable));
  memories.push(...list(sections, Section.MEMORY, readMemory));
  tags.push(...list(sections, Section.TAG, (reader) => readTag(reader, types)));
  globals.push(...list(sections, Section.GLOBAL, readGlobal));
  return {
    sections,
    types,
    imports,
    functions,
    importedFunctions,
    tables,
    memories,
    globals,
    importedGlobals,
    tags,
    exports: list(sections, Section.EXPORT, readExport),
    start: sections.reader(Section.START)?.u32() ?? null,
    data: list(sections, Section.DATA, readData).filter((segment) => segment !== null),
  };
}

/** `(i32, i64) -> f64`, for people. */
export function signature(type: FunctionType): string {
  const [parameters, results] = [type.parameters, type.results].map((list) =>
    list.map(valueTypeName).join(', '),
  );
  return `(${parameters}) -> ${type.results.length === 1 ? results : `(${results})`}`;
}

function list<T>(sections: Sections, id: number, readEntry: (reader: Reader) => T): T[] {
  const reader = sections.reader(id);
  if (reader === null) return [];
  const entries: T[] = [];
  for (let count = reader.count(); count > 0; count--) entries.push(readEntry(reader));
  return entries;
}

function readFunctionType(reader: Reader): FunctionType {
  const at = reader.at;
  if (reader.u8() !== 0x60) {
    throw unsupported('garbage-collected types', `byte ${at}`, 'Compile for linear memory.');
  }
  return { parameters: readValueTypes(reader), results: readValueTypes(reader) };
}

function readValueTypes(reader: Reader): ValueType[] {
  const types: ValueType[] = [];
  for (let count = reader.count(); count > 0; count--) types.push(readValueType(reader));
  return types;
}

function readIndex(reader: Reader, space: readonly unknown[]): number {
  const index = reader.u32();
  if (index >= space.length) throw malformed(`index ${index} does not exist`, reader.at);
  return index;
}

function readKind(reader: Reader): ExternalKind {
  const kind = EXTERNAL_KINDS[reader.u8()];
  if (kind === undefined) throw malformed('an import or export of unknown kind', reader.at);
  return kind;
}

function readTable(reader: Reader): TableType {
  if (reader.bytes[reader.at] === 0x40) {
    throw unsupported(
      'tables with an initial value',
      `byte ${reader.at}`,
      'Compile without typed function references.',
    );
  }
  return { element: readValueType(reader), limits: readLimits(reader, 'table') };
}

function readMemory(reader: Reader): SizeLimits {
  return readLimits(reader, 'memory');
}

function readLimits(reader: Reader, what: string): SizeLimits {
  const where = `byte ${reader.at}`;
  const flags = reader.u8();
  if ((flags & 2) !== 0) throw unsupported(`shared ${what}`, where, 'Compile without threads.');
  if ((flags & 4) !== 0) throw unsupported(`64-bit ${what}`, where, 'Compile for wasm32.');
  if (flags > 1) throw unsupported(`a ${what} of custom page size`, where, 'Compile with pages of 64 KiB.');
  return { minimum: reader.u32(), maximum: flags === 1 ? reader.u32() : null };
}

function readGlobalType(reader: Reader): GlobalType {
  const type = readValueType(reader);
  return { type, mutable: reader.u8() === 1 };
}

function readGlobal(reader: Reader): GlobalType {
  const type = readGlobalType(reader);
  skipConstantExpression(reader);
  return type;
}

function readTag(reader: Reader, types: readonly FunctionType[]): number {
  reader.u8(); // attribute: exception
  return readIndex(reader, types);
}

function readExport(reader: Reader): Export {
  return { name: reader.name(), kind: readKind(reader), index: reader.u32() };
}

function readData(reader: Reader): ActiveData | null {
  const flags = reader.u32();
  const memory = flags === 2 ? reader.u32() : 0;
  const start = flags === 1 ? null : readOffset(reader);
  const length = reader.u32();
  reader.skip(length);
  return flags === 1 ? null : { memory, start, length };
}

/** The value of an offset expression when it is a plain constant. */
function readOffset(reader: Reader): number | null {
  const instructions = new Instructions(reader);
  const start = reader.at;
  skipConstantExpression(reader);
  const end = reader.at;
  reader.at = start;
  instructions.next();
  const value = instructions.opcode === Op.I32_CONST ? instructions.first : null;
  const plain = reader.at === end - 1;
  reader.at = end;
  return plain ? value : null;
}

function skipConstantExpression(reader: Reader): void {
  const instructions = new Instructions(reader);
  do instructions.next();
  while (instructions.opcode !== Op.END);
}
