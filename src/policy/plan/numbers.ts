import { RegoValue } from './values.ts';

/**
 * Rego numbers are decimals of any size. A JavaScript number stands for the decimal that String() shows for it, which
 * is what JSON.stringify writes; a BigDecimal stands for every number that no double shows exactly.
 */
export class BigDecimal extends RegoValue {
  /** The value is coefficient × 10^exponent; the coefficient does not end in 0. */
  readonly coefficient: bigint;
  readonly exponent: number;

  constructor(coefficient: bigint, exponent: number) {
    super();
    this.coefficient = coefficient;
    this.exponent = exponent;
  }

  override toString(): string {
    return `${this.coefficient}e${this.exponent}`;
  }
}

export type RegoNumber = number | BigDecimal;

export function isNumber(value: unknown): value is RegoNumber {
  return typeof value === 'number' || value instanceof BigDecimal;
}

const decimalText = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
/** Exponents beyond this are refused: 10^±4096 is far outside of what a policy computes with. */
const maxExponent = 4096;

/** Reads a decimal number. Undefined where the text is none, or has an exponent beyond ±4096. */
export function parseNumber(text: string): RegoNumber | undefined {
  const match = decimalText.exec(text);
  if (match === null) return undefined;
  const fraction = match[3] ?? '';
  const exponent = Number(match[4] ?? 0) - fraction.length;
  if (Math.abs(exponent) > maxExponent) return undefined;
  const magnitude = BigInt(match[2] + fraction);
  return fromDecimal(match[1] === '-' ? -magnitude : magnitude, exponent);
}

/** The one representation of coefficient × 10^exponent: a double if it shows this very decimal. */
export function fromDecimal(coefficient: bigint, exponent: number): RegoNumber {
  if (coefficient === 0n) return 0;
  while (coefficient % 10n === 0n) {
    coefficient /= 10n;
    exponent++;
  }
  const near = Number(`${coefficient}e${exponent}`);
  if (Number.isFinite(near) && near !== 0) {
    const shown = toDecimal(near);
    if (shown.coefficient === coefficient && shown.exponent === exponent) return near;
  }
  return new BigDecimal(coefficient, exponent);
}

/** The decimal of a number, its coefficient without trailing zeros. */
export function toDecimal(number: RegoNumber): { coefficient: bigint; exponent: number } {
  if (typeof number !== 'number') return number;
  const match = decimalText.exec(String(number)) as RegExpExecArray;
  const fraction = match[3] ?? '';
  let exponent = Number(match[4] ?? 0) - fraction.length;
  let coefficient = BigInt(match[1] + match[2] + fraction);
  while (coefficient !== 0n && coefficient % 10n === 0n) {
    coefficient /= 10n;
    exponent++;
  }
  return { coefficient, exponent };
}

export function compareNumbers(a: RegoNumber, b: RegoNumber): number {
  // Doubles are in the order of the decimals they show.
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : 0;
  const x = toDecimal(a);
  const y = toDecimal(b);
  const exponent = Math.min(x.exponent, y.exponent);
  const left = x.coefficient * 10n ** BigInt(x.exponent - exponent);
  const right = y.coefficient * 10n ** BigInt(y.exponent - exponent);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The double nearest to a number, as JSON.parse reads it. */
export function toDouble(number: RegoNumber): number {
  return typeof number === 'number' ? number : Number(number.toString());
}
