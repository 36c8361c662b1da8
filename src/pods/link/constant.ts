import { Instructions } from '../../runtime/module/instructions.ts';
import { Op } from '../../runtime/module/opcodes.ts';
import type { Reader } from '../../runtime/module/reader.ts';
import { Writer } from '../../runtime/module/writer.ts';
import { refused } from './wasmedge.ts';

/** The value of a constant expression: a number of 32 or 64 bits, a function, or the bytes of any other constant instruction. */
export type Constant =
  | { readonly kind: 'i32' | 'i64'; readonly value: bigint }
  | { readonly kind: 'function'; readonly index: number }
  | { readonly kind: 'other'; readonly bytes: Uint8Array };

const I32_ADD = 0x6a;
const I32_MUL = 0x6c;
const I64_ADD = 0x7c;
const I64_MUL = 0x7e;
const operations = [
  (left: bigint, right: bigint) => left + right,
  (left: bigint, right: bigint) => left - right,
  (left: bigint, right: bigint) => left * right,
];

/**
 * Reads a constant expression up to its `end` and computes it: WasmEdge knows neither extended constant expressions nor
 * globals of the module in them. `globals` are those declared before.
 */
export function readConstant(reader: Reader, globals: readonly Constant[]): Constant {
  const stack: Constant[] = [];
  const at = new Instructions(reader);
  const where = `byte ${reader.at}`;
  for (at.next(); at.opcode !== Op.END; at.next()) {
    const { opcode } = at;
    if (opcode === Op.I32_CONST) stack.push({ kind: 'i32', value: signedInteger(reader, at) });
    else if (opcode === Op.I64_CONST) stack.push({ kind: 'i64', value: signedInteger(reader, at) });
    else if (opcode === Op.REF_FUNC) stack.push({ kind: 'function', index: at.first });
    else if (opcode === Op.GLOBAL_GET) stack.push(known(globals[at.first], where));
    else if (opcode >= I32_ADD && opcode <= I32_MUL) compute(stack, 32, opcode - I32_ADD, where);
    else if (opcode >= I64_ADD && opcode <= I64_MUL) compute(stack, 64, opcode - I64_ADD, where);
    else stack.push({ kind: 'other', bytes: reader.bytes.slice(at.start, at.end) });
  }
  return known(stack[0], where);
}

/** As an unsigned 32-bit number: an address or a place in a table. */
export function unsigned(constant: Constant): number {
  if (constant.kind !== 'i32') throw new RangeError('the constant is no i32');
  return Number(BigInt.asUintN(32, constant.value));
}

/** Writes the expression with its `end`; functions are numbered anew. */
export function writeConstant(writer: Writer, constant: Constant, func: (index: number) => number): void {
  if (constant.kind === 'function') {
    writer.u8(Op.REF_FUNC);
    writer.u32(func(constant.index));
  } else if (constant.kind === 'other') writer.bytes(constant.bytes);
  else {
    writer.u8(constant.kind === 'i32' ? Op.I32_CONST : Op.I64_CONST);
    writer.s64(constant.value);
  }
  writer.u8(Op.END);
}

function known(constant: Constant | undefined, where: string): Constant {
  if (constant !== undefined) return constant;
  throw refused('an initial value that is not known before it starts', where, 'Use plain constants.');
}

function compute(stack: Constant[], bits: 32 | 64, operation: number, where: string): void {
  const [left, right] = stack.splice(-2) as [Constant, Constant];
  if (!('value' in left) || !('value' in right)) throw known(undefined, where);
  const value = (operations[operation] as (a: bigint, b: bigint) => bigint)(left.value, right.value);
  stack.push({ kind: bits === 32 ? 'i32' : 'i64', value: BigInt.asIntN(bits, value) });
}

function signedInteger({ bytes }: Reader, { start, end }: Instructions): bigint {
  let value = 0n;
  for (let at = start + 1; at < end; at++) {
    value |= BigInt((bytes[at] as number) & 0x7f) << BigInt(7 * (at - start - 1));
  }
  return BigInt.asIntN(7 * (end - start - 1), value);
}
