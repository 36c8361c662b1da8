import { MISC, shapes, Shape, VECTOR } from './opcodes.ts';
import type { Reader } from './reader.ts';
import { malformed, unsupported } from './refusals.ts';
import { readHeapType, readValueType, type ValueType } from './value-types.ts';

const HAS_MEMORY_INDEX = 0x40;

/** Steps through instructions. After `next` the fields describe the instruction that was just read. */
export class Instructions {
  readonly #reader: Reader;
  /** Where it starts. */
  start = 0;
  /** Its number in the table of opcodes.ts. */
  opcode = 0;
  /** Its first and second integer, if it has any; of a block, the index of its type, or −1 when it has a simple one. */
  first = 0;
  second = 0;
  /** The value of an i32.const, the low 32 bits of an i64.const. */
  constant = 0;
  /** The value type it names: of a block or a select with one value, of a null reference. 0 when there is none. */
  valueType: ValueType = 0;
  /** For loads and stores; the alignment as its exponent. */
  alignment = 0;
  memory = 0;
  offset = 0;
  /** Where its immediates begin. */
  immediates = 0;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  /** Where the instruction that was just read ends. */
  get end(): number {
    return this.#reader.at;
  }

  get done(): boolean {
    return this.#reader.done;
  }

  next(): void {
    this.start = this.#reader.at;
    this.opcode = this.#readOpcode();
    this.immediates = this.#reader.at;
    this.valueType = 0;
    this.#readImmediates(shapes[this.opcode] as number);
  }

  #readOpcode(): number {
    const byte = this.#reader.u8();
    if (byte < 0xfb) return byte;
    const where = `byte ${this.start}`;
    if (byte === 0xfb) {
      throw unsupported('garbage collection', where, 'Compile for linear memory.');
    }
    if (byte === 0xfe) {
      throw unsupported(
        'threads (atomic instructions)',
        where,
        'Compile without threads: each request has an instance of its own.',
      );
    }
    const number = this.#reader.u32();
    if (byte === 0xfc && number < VECTOR - MISC) return MISC + number;
    if (byte === 0xfd && number < shapes.length - VECTOR) return VECTOR + number;
    throw this.#unknown(`0x${byte.toString(16)} ${number}`);
  }

  #readImmediates(shape: number): void {
    const reader = this.#reader;
    switch (shape) {
      case Shape.NONE:
        return;
      case Shape.INTEGER:
        return this.#readInteger();
      case Shape.TWO_INTEGERS:
        this.first = reader.u32();
        this.second = reader.u32();
        return;
      case Shape.BLOCK_TYPE:
        return this.#readBlockType();
      case Shape.MEMORY_ACCESS:
        return this.#readMemoryAccess();
      case Shape.MEMORY_LANE:
        this.#readMemoryAccess();
        return reader.skip(1);
      case Shape.LANE:
        return reader.skip(1);
      case Shape.FOUR_BYTES:
        return reader.skip(4);
      case Shape.EIGHT_BYTES:
        return reader.skip(8);
      case Shape.SIXTEEN_BYTES:
        return reader.skip(16);
      case Shape.LABELS:
        for (let labels = reader.count(); labels >= 0; labels--) reader.u32();
        return;
      case Shape.VALUE_TYPES:
        for (let types = reader.count(); types > 0; types--) this.valueType = readValueType(reader);
        return;
      case Shape.TRY_TABLE:
        return this.#skipTryTable();
      case Shape.HEAP_TYPE:
        this.valueType = readHeapType(reader);
        return;
      default:
        throw this.#unknown(`0x${this.opcode.toString(16)}`);
    }
  }

  /** An index is kept; the 64 bits of an i64.const would not fit and are not needed. */
  #readInteger(): void {
    const start = this.#reader.at;
    this.#reader.skipInteger();
    const length = this.#reader.at - start;
    let value = 0;
    for (let at = 0; at < Math.min(length, 5); at++) {
      value |= ((this.#reader.bytes[start + at] as number) & 0x7f) << (7 * at);
    }
    this.first = value >>> 0;
    const unused = Math.max(0, 32 - 7 * length);
    this.constant = (value << unused) >> unused;
  }

  #readMemoryAccess(): void {
    const alignment = this.#reader.u32();
    this.alignment = alignment & ~HAS_MEMORY_INDEX;
    this.memory = this.alignment === alignment ? 0 : this.#reader.u32();
    this.offset = this.#reader.u32();
  }

  /** Nothing, a value type, or a type index as a signed integer. */
  #readBlockType(): void {
    const reader = this.#reader;
    const byte = reader.bytes[reader.at] as number;
    if (byte > 0x40 && byte < 0x80) this.valueType = readValueType(reader);
    else if (byte !== 0x40) return this.#readInteger();
    else reader.skip(1);
    this.first = -1;
  }

  #skipTryTable(): void {
    const reader = this.#reader;
    this.#readBlockType();
    for (let clauses = reader.count(); clauses > 0; clauses--) {
      const kind = reader.u8();
      if (kind > 3) throw malformed('a catch clause of unknown kind', reader.at);
      if (kind < 2) reader.u32(); // the tag; kinds 2 and 3 catch all
      reader.u32();
    }
  }

  #unknown(name: string): Error {
    const typedReferences =
      this.opcode === 0x14 || this.opcode === 0x15 || (this.opcode >= 0xd3 && this.opcode <= 0xd6);
    return unsupported(
      typedReferences ? 'typed function references' : `the instruction ${name}`,
      `byte ${this.start}`,
      'Compile for WebAssembly 2.0 (with bulk memory, SIMD, tail calls, exceptions, multiple memories).',
    );
  }
}
