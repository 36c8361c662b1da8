import { Reader } from './reader.ts';
import { malformed } from './refusals.ts';

/** Section ids of the binary format (WebAssembly Core Specification, section 5.5.2). */
export const Section = {
  CUSTOM: 0,
  TYPE: 1,
  IMPORT: 2,
  FUNCTION: 3,
  TABLE: 4,
  MEMORY: 5,
  GLOBAL: 6,
  EXPORT: 7,
  START: 8,
  ELEMENT: 9,
  CODE: 10,
  DATA: 11,
  DATA_COUNT: 12,
  TAG: 13,
} as const;

const MAGIC = [0x00, 0x61, 0x73, 0x6d];
const LAST_SECTION = 13;

/** Where the sections of a module are. */
export class Sections {
  readonly bytes: Uint8Array;
  readonly #ranges: (readonly [start: number, end: number] | undefined)[] = [];
  /** The custom section with the names of functions, which stack traces show. */
  names: Uint8Array | null = null;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    const reader = new Reader(bytes);
    readPreamble(reader);
    while (!reader.done) this.#readSection(reader);
  }

  /** A reader over the section's content, or null when the module lacks it. */
  reader(id: number): Reader | null {
    const range = this.#ranges[id];
    return range === undefined ? null : new Reader(this.bytes, range[0], range[1]);
  }

  #readSection(reader: Reader): void {
    const id = reader.u8();
    const length = reader.u32();
    const start = reader.at;
    reader.skip(length);
    if (id > LAST_SECTION) throw malformed(`a section of unknown kind ${id}`, start);
    if (id === Section.CUSTOM) return this.#keepNames(start, reader.at);
    if (this.#ranges[id] !== undefined) throw malformed(`two sections of kind ${id}`, start);
    this.#ranges[id] = [start, reader.at];
  }

  #keepNames(start: number, end: number): void {
    const content = new Reader(this.bytes, start, end);
    if (content.name() === 'name') this.names = this.bytes.subarray(start, end);
  }
}

function readPreamble(reader: Reader): void {
  for (const byte of MAGIC) {
    if (reader.done || reader.u8() !== byte) throw malformed('it does not start with \\0asm', 0);
  }
  const version = reader.u8() | (reader.u8() << 8);
  const layer = reader.u8() | (reader.u8() << 8);
  if (layer === 1) throw malformed('it is a component; functions are core modules', 4);
  if (version !== 1 || layer !== 0) throw malformed(`its version is ${version}`, 4);
}
