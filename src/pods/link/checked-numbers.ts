import type { AddedFunctions } from '../../runtime/module/added-functions.ts';
import { type Assembler, Num } from '../../runtime/module/assembler.ts';
import { Op } from '../../runtime/module/opcodes.ts';
import { F32, F64, I32, I64, type ValueType } from '../../runtime/module/value-types.ts';
import type { GuestRuntime } from './guest-runtime.ts';

/** Divisions by width: div_s, div_u, rem_s, rem_u in this order; truncations from f32 and f64, signed and unsigned. */
const DIVISIONS = [
  { first: 0x6d, type: I32 },
  { first: 0x7f, type: I64 },
] as const;
const TRUNCATIONS = [
  { first: 0xa8, saturating: 0, type: I32, bits: 32 },
  { first: 0xae, saturating: 4, type: I64, bits: 64 },
] as const;
const SATURATING = 0xfc;

/** Whether the instruction is a division or a truncation, which trap on some numbers. */
export function isPartial(opcode: number): boolean {
  return isDivision(opcode) || TRUNCATIONS.some(({ first }) => opcode >= first && opcode < first + 4);
}

export function isDivision(opcode: number): boolean {
  return DIVISIONS.some(({ first }) => opcode >= first && opcode < first + 4);
}

/** The function that does what the instruction does; where that would trap, it calls `trap` and returns 0. */
export function partialFunction(opcode: number, runtime: GuestRuntime, added: AddedFunctions): number {
  return runtime.once(`numeric ${opcode}`, () => {
    const division = DIVISIONS.find(({ first }) => opcode >= first && opcode < first + 4);
    if (division !== undefined)
      return addDivision(added, runtime, opcode, division.type, opcode - division.first);
    const truncation = TRUNCATIONS.find(({ first }) => opcode >= first && opcode < first + 4);
    if (truncation === undefined) throw new RangeError(`instruction ${opcode} has no checked form`);
    const { first, saturating, type, bits } = truncation;
    return addTruncation(added, runtime, { variant: opcode - first, saturating, type, bits });
  });
}

function addDivision(
  added: AddedFunctions,
  runtime: GuestRuntime,
  opcode: number,
  type: ValueType,
  variant: number,
): number {
  const [isZero, equals] = type === I32 ? [Num.I32_EQZ, Num.I32_EQ] : [Num.I64_EQZ, Num.I64_EQ];
  return added.add([type, type], [type], [], (code) => {
    code.localGet(1).op(isZero);
    trapIf(code, runtime, type);
    if (variant === 0) {
      integer(code.localGet(0), type, type === I32 ? -(2n ** 31n) : -(2n ** 63n)).op(equals);
      integer(code.localGet(1), type, -1n).op(equals, Num.I32_AND);
      trapIf(code, runtime, type);
    }
    code.localGet(0).localGet(1).op(opcode);
  });
}

/** The range is compared as f64, which holds every f32 and every bound that is needed exactly. */
function addTruncation(
  added: AddedFunctions,
  runtime: GuestRuntime,
  {
    variant,
    saturating,
    type,
    bits,
  }: { variant: number; saturating: number; type: ValueType; bits: 32 | 64 },
): number {
  const from = variant < 2 ? F32 : F64;
  const isSigned = variant % 2 === 0;
  const value = (code: Assembler) => {
    code.localGet(0);
    return from === F32 ? code.op(Num.F64_PROMOTE_F32) : code;
  };
  return added.add([from], [type], [], (code) => {
    const lowest = -(2 ** (bits - 1));
    if (!isSigned) value(code).f64Const(-1).op(Num.F64_GT);
    else if (bits === 32)
      value(code)
        .f64Const(lowest - 1)
        .op(Num.F64_GT);
    else value(code).f64Const(lowest).op(Num.F64_GE);
    value(code)
      .f64Const(isSigned ? -lowest : 2 ** bits)
      .op(Num.F64_LT, Num.I32_AND);
    code.op(Num.I32_EQZ); // also for a value that is not a number
    trapIf(code, runtime, type);
    code.localGet(0).op(SATURATING, saturating + variant);
  });
}

function trapIf(code: Assembler, runtime: GuestRuntime, type: ValueType): void {
  integer(code.if().call(runtime.trap), type, 0n).op(Op.RETURN).end();
}

function integer(code: Assembler, type: ValueType, value: bigint): Assembler {
  return type === I32 ? code.i32Const(Number(value)) : code.i64Const(value);
}
