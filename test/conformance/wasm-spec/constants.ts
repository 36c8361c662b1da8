import type { Constant } from './suite.ts';

const LANES: Readonly<Record<string, number>> = { i8: 8, i16: 16, i32: 32, i64: 64, f32: 32, f64: 64 };
const CANONICAL: Readonly<Record<number, bigint>> = { 32: 0x7fc0_0000n, 64: 0x7ff8_0000_0000_0000n };
const EXPONENT: Readonly<Record<number, bigint>> = { 32: 0x7f80_0000n, 64: 0x7ff0_0000_0000_0000n };

/** What an externref constant stands for; one object per number, so that identity can be compared. */
const hostReferences = new Map<string, object>();

function hostReference(number: string): object {
  let reference = hostReferences.get(number);
  if (reference === undefined) hostReferences.set(number, (reference = { host: number }));
  return reference;
}

/** The arguments that pass a constant through an adapter (bits.ts). */
export function toArguments(constant: Constant): unknown[] {
  const { type, value } = constant;
  if (type === 'v128') return vectorBits(constant).map((bits) => BigInt.asIntN(64, bits));
  if (type === 'i32' || type === 'f32') return [Number(BigInt.asIntN(32, BigInt(value as string)))];
  if (type === 'i64' || type === 'f64') return [BigInt.asIntN(64, BigInt(value as string))];
  if (type === 'externref' && value !== undefined && value !== 'null')
    return [hostReference(value as string)];
  return [null];
}

/** Whether the values that came out of an adapter are those the specification expects. */
export function matches(expected: Constant, found: readonly unknown[]): boolean {
  const { type, value } = expected;
  if (type === 'either') return (expected.values ?? []).some((alternative) => matches(alternative, found));
  if (type === 'v128') {
    const low = BigInt.asUintN(64, found[0] as bigint);
    const high = BigInt.asUintN(64, found[1] as bigint);
    return lanesMatch(expected, low | (high << 64n));
  }
  if (type === 'i32' || type === 'f32') {
    return numberMatches(value as string, BigInt.asUintN(32, BigInt(found[0] as number)), 32);
  }
  if (type === 'i64' || type === 'f64')
    return numberMatches(value as string, BigInt.asUintN(64, found[0] as bigint), 64);
  if (type === 'funcref' && value === undefined) return typeof found[0] === 'function';
  if (type === 'externref' && value === undefined) return found[0] !== null;
  if (type === 'externref' && value !== 'null') return found[0] === hostReference(value as string);
  return found[0] === null;
}

function lanesMatch(expected: Constant, bits: bigint): boolean {
  const size = LANES[expected.lane_type as string] as number;
  return (expected.value as readonly string[]).every((lane, index) =>
    numberMatches(lane, BigInt.asUintN(size, bits >> BigInt(index * size)), size),
  );
}

function numberMatches(expected: string, bits: bigint, size: number): boolean {
  const canonical = CANONICAL[size] as bigint;
  if (expected === 'nan:canonical') return BigInt.asUintN(size - 1, bits) === canonical;
  if (expected === 'nan:arithmetic')
    return (bits & canonical) === canonical && (bits & (EXPONENT[size] as bigint)) !== 0n;
  return bits === BigInt.asUintN(size, BigInt(expected));
}

function vectorBits(constant: Constant): [low: bigint, high: bigint] {
  const size = LANES[constant.lane_type as string] as number;
  let bits = 0n;
  for (const [index, lane] of (constant.value as readonly string[]).entries()) {
    bits |= BigInt.asUintN(size, BigInt(lane)) << BigInt(index * size);
  }
  return [BigInt.asUintN(64, bits), bits >> 64n];
}
