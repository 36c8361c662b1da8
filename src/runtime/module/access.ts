import { Op, VECTOR } from './opcodes.ts';
import { F32, F64, I32, I64, V128, type ValueType } from './value-types.ts';

/** Bytes that i32.load … i64.store32 touch, in the order of their opcodes; then the vector ones. */
const PLAIN = [4, 8, 4, 8, 1, 1, 2, 2, 1, 1, 2, 2, 4, 4, 4, 8, 4, 8, 1, 2, 1, 2, 4];
const VECTORS = [16, 8, 8, 8, 8, 8, 8, 1, 2, 4, 8, 16];
/** The type of value that i32.store … i64.store32 take, in the order of their opcodes. */
const STORED_TYPES = [I32, I64, F32, F64, I32, I32, I64, I64, I64];
const LANES = [1, 2, 4, 8, 1, 2, 4, 8, 4, 8];

/** How many bytes a load or store touches; 0 when the instruction is neither. */
export function accessBytes(opcode: number): number {
  if (opcode < VECTOR) return PLAIN[opcode - Op.I32_LOAD] ?? 0;
  return VECTORS[opcode - VECTOR] ?? LANES[opcode - Op.V128_LOAD8_LANE] ?? 0;
}

export function isStore(opcode: number): boolean {
  return (
    (opcode >= Op.I32_STORE && opcode <= Op.I64_STORE32) ||
    opcode === Op.V128_STORE ||
    (opcode >= Op.V128_STORE8_LANE && opcode <= Op.V128_STORE64_LANE)
  );
}

/** The type of value that a store takes. */
export function storedType(opcode: number): ValueType {
  return STORED_TYPES[opcode - Op.I32_STORE] ?? V128;
}

export function hasLane(opcode: number): boolean {
  return opcode >= Op.V128_LOAD8_LANE && opcode <= Op.V128_STORE64_LANE;
}
