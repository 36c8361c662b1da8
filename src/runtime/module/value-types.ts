import type { Reader } from './reader.ts';
import { unsupported } from './refusals.ts';
import type { Writer } from './writer.ts';

/**
 * A value type as one number: the byte of the binary format for numbers, vectors and nullable references;
 * `NON_NULL | heap type` for references that are never null.
 */
export type ValueType = number;

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
export const FUNCREF = 0x70;
export const EXTERNREF = 0x6f;
export const EXNREF = 0x69;
export const NON_NULL = 0x100;

const REF = 0x64;
const REF_NULL = 0x63;

const names = new Map<ValueType, string>([
  [I32, 'i32'],
  [I64, 'i64'],
  [F32, 'f32'],
  [F64, 'f64'],
  [V128, 'v128'],
  [FUNCREF, 'funcref'],
  [EXTERNREF, 'externref'],
  [EXNREF, 'exnref'],
  [0x74, 'nullexnref'],
  [0x73, 'nullfuncref'],
  [0x72, 'nullexternref'],
]);

const NO_GC = 'Compile without garbage-collected and typed references (a linear-memory target).';

export function valueTypeName(type: ValueType): string {
  const name = names.get(type & 0xff) ?? `0x${type.toString(16)}`;
  return (type & NON_NULL) === 0 ? name : `(ref ${name})`;
}

/** Reads a value type. Refuses those of the garbage-collection and typed-function-reference proposals by name. */
export function readValueType(reader: Reader): ValueType {
  const at = reader.at;
  const byte = reader.u8();
  if (byte === REF || byte === REF_NULL) return readHeapType(reader) | (byte === REF ? NON_NULL : 0);
  if (names.has(byte)) return byte;
  throw unsupported('garbage-collected types', `byte ${at}`, NO_GC);
}

/** Reads a heap type; only the abstract ones of functions, host references and exceptions are known. */
export function readHeapType(reader: Reader): ValueType {
  const at = reader.at;
  const byte = reader.u8();
  if (byte < I32 && byte <= FUNCREF + 4 && names.has(byte)) return byte;
  throw unsupported('typed references', `byte ${at}`, NO_GC);
}

export function writeValueType(writer: Writer, type: ValueType): void {
  if ((type & NON_NULL) !== 0) writer.u8(REF);
  writer.u8(type & 0xff);
}
