import { fallback } from '../fallback.ts';
import { BigDecimal, fromDecimal, isNumber, toDecimal, type RegoNumber } from '../numbers.ts';
import { RegoSet } from '../values.ts';
import { difference } from './sets.ts';

/**
 * Numbers. Whole numbers are exact at any size. Fractions: OPA computes with binary floats of 64 bits, its WebAssembly
 * form with decimals; this answers where both give the same, and falls back where they may differ.
 */
type Decimal = { coefficient: bigint; exponent: number };

const safe = (value: unknown): value is number => Number.isSafeInteger(value);

function plus(a: unknown, b: unknown): unknown {
  if (safe(a) && safe(b) && safe(a + b)) return a + b;
  return isNumber(a) && isNumber(b) ? exactly(a, b, (x, y) => x + y) : undefined;
}

function minus(a: unknown, b: unknown): unknown {
  if (safe(a) && safe(b) && safe(a - b)) return a - b;
  if (a instanceof RegoSet && b instanceof RegoSet) return difference(a, b);
  return isNumber(a) && isNumber(b) ? exactly(a, b, (x, y) => x - y) : undefined;
}

function multiply(a: unknown, b: unknown): unknown {
  if (safe(a) && safe(b) && safe(a * b)) return a * b + 0;
  if (!isNumber(a) || !isNumber(b)) return undefined;
  const [x, y] = [binary(a), binary(b)];
  return short(fromDecimal(x.coefficient * y.coefficient, x.exponent + y.exponent), isWhole(x) && isWhole(y));
}

function divide(a: unknown, b: unknown): unknown {
  if (!isNumber(a) || !isNumber(b)) return undefined;
  if (b === 0) return undefined;
  if (safe(a) && safe(b) && a % b === 0) return a / b + 0;
  const [x, y] = [binary(a), binary(b)];
  // Enough digits to see whether the quotient ends within what both evaluators hold.
  const digits = 40n;
  const scaled = x.coefficient * 10n ** digits;
  if (scaled % y.coefficient !== 0n) fallback();
  return short(fromDecimal(scaled / y.coefficient, x.exponent - y.exponent - Number(digits)), false);
}

function remainder(a: unknown, b: unknown): unknown {
  if (b === 0) return undefined;
  if (safe(a) && safe(b)) return (a % b) + 0;
  if (!isNumber(a) || !isNumber(b)) return undefined;
  const [x, y] = [toDecimal(a), toDecimal(b)];
  if (!isWhole(x) || !isWhole(y)) return undefined;
  return fromDecimal(whole(a) % whole(b), 0);
}

function exactly(a: RegoNumber, b: RegoNumber, operation: (x: bigint, y: bigint) => bigint): RegoNumber {
  const [x, y] = [binary(a), binary(b)];
  const exponent = Math.min(x.exponent, y.exponent);
  const shifted = ({ coefficient, exponent: own }: Decimal) => coefficient * 10n ** BigInt(own - exponent);
  return short(fromDecimal(operation(shifted(x), shifted(y)), exponent), isWhole(x) && isWhole(y));
}

const isWhole = ({ exponent }: Decimal): boolean => exponent >= 0;

/** The decimal of a number that a binary float of 64 bits holds exactly, or that is whole and written out in full. */
function binary(number: RegoNumber): Decimal {
  const decimal = toDecimal(number);
  const { coefficient, exponent } = decimal;
  if (exponent < -60 || exponent > 60) fallback();
  if (
    isWhole(decimal)
      ? typeof number === 'number' && Math.abs(number) >= 1e21
      : coefficient % 5n ** BigInt(-exponent) !== 0n
  )
    fallback();
  return decimal;
}

/** 64 bits hold every decimal of up to 18 digits so that it can be told from its neighbours. */
function short(number: RegoNumber, whole: boolean): RegoNumber {
  const { coefficient, exponent } = toDecimal(number);
  if (!whole && (digitsOf(coefficient) > 18 || digitsOf(coefficient) + exponent > 18)) fallback();
  return number;
}

const digitsOf = (coefficient: bigint): number => String(coefficient).replace('-', '').length;

/** A whole number as a bigint. Falls back for one that is written with an exponent. */
export function whole(number: RegoNumber): bigint {
  if (safe(number)) return BigInt(number);
  const { coefficient, exponent } = toDecimal(number);
  if (exponent < 0 || exponent > 60 || (typeof number === 'number' && Math.abs(number) >= 1e21)) fallback();
  return coefficient * 10n ** BigInt(exponent);
}

/** A whole number of Rego that is an `int` of Go, or undefined. */
export function integer(value: unknown): number | undefined {
  if (value instanceof BigDecimal) fallback();
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 63
    ? value
    : undefined;
}

/** A function of one number that is the number itself where that is whole. */
function rounding(round: (number: number) => number) {
  return (value: unknown): unknown => {
    if (typeof value === 'number') return round(value) + 0;
    return value instanceof BigDecimal ? fallback() : undefined;
  };
}

/** OPA itself is wrong between -1 and 0 (1.22 says ceil(-0.5) is 1 and floor(-0.5) is 0); its WebAssembly form is not. */
function outward(round: (number: number) => number) {
  return rounding((number) => (number < 0 && number > -1 ? fallback() : round(number)));
}

export function sum(values: readonly unknown[]): unknown {
  return values.reduce((total, value) => (total === undefined ? undefined : plus(total, value)), 0);
}

export function product(values: readonly unknown[]): unknown {
  return values.reduce((total, value) => (total === undefined ? undefined : multiply(total, value)), 1);
}

/** Longer ranges are left to WebAssembly, whose memory is limited. */
const maxRange = 100_000;

function range(from: unknown, to: unknown): unknown {
  if (!isNumber(from) || !isNumber(to)) return undefined;
  if (!safe(from) || !safe(to))
    return isWhole(toDecimal(from)) && isWhole(toDecimal(to)) ? fallback() : undefined;
  const count = Math.abs(to - from) + 1;
  if (count > maxRange) fallback();
  const step = from <= to ? 1 : -1;
  return Array.from({ length: count }, (_, i) => from + i * step);
}

export const arithmetic = {
  plus,
  minus,
  mul: multiply,
  div: divide,
  rem: remainder,
  abs: rounding(Math.abs),
  ceil: outward(Math.ceil),
  floor: outward(Math.floor),
  /** Half away from zero. */
  round: rounding((number) => Math.sign(number) * Math.round(Math.abs(number))),
  'numbers.range': range,
};
