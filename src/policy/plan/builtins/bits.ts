import { fallback } from '../fallback.ts';
import { fromDecimal, isNumber, toDecimal, type RegoNumber } from '../numbers.ts';
import { whole } from './arithmetic.ts';

/** Bits of whole numbers of any size, negative ones in two's complement. */
const isWhole = (value: unknown): value is RegoNumber => isNumber(value) && toDecimal(value).exponent >= 0;

function two(operation: (a: bigint, b: bigint) => bigint) {
  return (a: unknown, b: unknown) =>
    isWhole(a) && isWhole(b) ? fromDecimal(operation(whole(a), whole(b)), 0) : undefined;
}

/** Beyond this a shift is a way to use up memory. */
const maxShift = 4096n;

function shift(operation: (a: bigint, by: bigint) => bigint) {
  return (a: unknown, by: unknown) => {
    if (!isWhole(a) || !isWhole(by) || whole(by) < 0n) return undefined;
    return whole(by) > maxShift ? fallback() : fromDecimal(operation(whole(a), whole(by)), 0);
  };
}

export const bits = {
  'bits.and': two((a, b) => a & b),
  'bits.or': two((a, b) => a | b),
  'bits.xor': two((a, b) => a ^ b),
  'bits.lsh': shift((a, by) => a << by),
  'bits.rsh': shift((a, by) => a >> by),
  'bits.negate': (a: unknown) => (isWhole(a) ? fromDecimal(~whole(a), 0) : undefined),
};
