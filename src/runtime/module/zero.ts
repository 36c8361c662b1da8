import { Op, VECTOR } from './opcodes.ts';
import { F32, F64, I32, I64, V128, type ValueType } from './value-types.ts';
import type { Writer } from './writer.ts';

/** A constant zero or null of the type. */
export function writeZero(section: Writer, type: ValueType): void {
  const zeros = (count: number) => section.bytes(new Uint8Array(count));
  if (type === I32) section.bytes(Uint8Array.of(Op.I32_CONST, 0));
  else if (type === I64) section.bytes(Uint8Array.of(Op.I64_CONST, 0));
  else if (type === F32) {
    section.u8(Op.F32_CONST);
    zeros(4);
  } else if (type === F64) {
    section.u8(Op.F64_CONST);
    zeros(8);
  } else if (type === V128) {
    section.bytes(Uint8Array.of(0xfd, Op.V128_CONST - VECTOR));
    zeros(16);
  } else section.bytes(Uint8Array.of(Op.REF_NULL, type & 0xff));
}
