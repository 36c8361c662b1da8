import type { ModuleParts } from '../../runtime/module/module-parts.ts';
import type { Reader } from '../../runtime/module/reader.ts';
import { malformed } from '../../runtime/module/refusals.ts';
import { Section } from '../../runtime/module/sections.ts';
import { FUNCREF, readValueType, type ValueType } from '../../runtime/module/value-types.ts';
import { type Constant, readConstant } from './constant.ts';

/** How a segment reaches its memory or table: at instantiation, by an instruction, or not at all. */
export type Mode = 'active' | 'passive' | 'declared';

export interface DataSegment {
  readonly mode: Mode;
  /** Address in the memory, of an active one. */
  readonly at: Constant | null;
  readonly bytes: Uint8Array;
}

export interface ElementSegment {
  readonly mode: Mode;
  readonly table: number;
  readonly at: Constant | null;
  readonly type: ValueType;
  readonly elements: readonly Constant[];
}

export interface Segments {
  /** The initial value of every global. */
  readonly globals: readonly Constant[];
  readonly elements: readonly ElementSegment[];
  readonly data: readonly DataSegment[];
}

/** Reads what a module puts into its globals, tables and memory (WebAssembly Core Specification, 5.5.9, 5.5.12, 5.5.14). */
export function readSegments({ sections }: ModuleParts): Segments {
  const globals: Constant[] = [];
  each(sections.reader(Section.GLOBAL), (reader) => {
    readValueType(reader);
    reader.skip(1);
    globals.push(readConstant(reader, globals));
  });
  const elements: ElementSegment[] = [];
  each(sections.reader(Section.ELEMENT), (reader) => elements.push(readElements(reader, globals)));
  const data: DataSegment[] = [];
  each(sections.reader(Section.DATA), (reader) => data.push(readData(reader, globals)));
  return { globals, elements, data };
}

function each(reader: Reader | null, read: (reader: Reader) => void): void {
  if (reader === null) return;
  for (let count = reader.count(); count > 0; count--) read(reader);
}

function readElements(reader: Reader, globals: readonly Constant[]): ElementSegment {
  const flags = reader.u32();
  if (flags > 7) throw malformed('an element segment of unknown kind', reader.at);
  const isActive = (flags & 1) === 0;
  const hasExpressions = (flags & 4) !== 0;
  const mode = isActive ? 'active' : (flags & 2) === 0 ? 'passive' : 'declared';
  const table = isActive && (flags & 2) !== 0 ? reader.u32() : 0;
  const at = isActive ? readConstant(reader, globals) : null;
  let type = FUNCREF;
  if ((flags & 3) !== 0) {
    if (hasExpressions) type = readValueType(reader);
    else reader.skip(1);
  }
  const elements = Array.from({ length: reader.count() }, (): Constant =>
    hasExpressions ? readConstant(reader, globals) : { kind: 'function', index: reader.u32() },
  );
  return { mode, table, at, type, elements };
}

function readData(reader: Reader, globals: readonly Constant[]): DataSegment {
  const flags = reader.u32();
  if (flags === 2) reader.u32();
  const at = flags === 1 ? null : readConstant(reader, globals);
  const length = reader.u32();
  const start = reader.at;
  reader.skip(length);
  return { mode: at === null ? 'passive' : 'active', at, bytes: reader.bytes.subarray(start, reader.at) };
}
