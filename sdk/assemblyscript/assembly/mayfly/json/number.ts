import { roundedQuotient } from "./big";

/** Conversions of number text that the parser has checked. Both are exact: the double is the nearest one, ties to even. */

/** Whether integer text (no fraction, no exponent) fits into a signed 64-bit integer. */
export function fitsI64(from: usize, to: usize): bool {
  const negative = load<u8>(from) == 0x2d;
  const digits = to - from - (negative ? 1 : 0);
  if (digits != 19) return digits < 19;
  return magnitude(from, to) <= (<u64>i64.MAX_VALUE) + (negative ? 1 : 0);
}

export function toI64(from: usize, to: usize): i64 {
  const value = <i64>magnitude(from, to);
  return load<u8>(from) == 0x2d ? -value : value;
}

function magnitude(from: usize, to: usize): u64 {
  let value: u64 = 0;
  for (let at = from; at < to; at++) {
    const digit = load<u8>(at) - 0x30;
    if (digit < 10) value = value * 10 + digit;
  }
  return value;
}

/** Digits that can decide how a double is rounded; whatever follows only matters for being zero or not. */
const SIGNIFICANT = 800;

export function toF64(from: usize, to: usize): f64 {
  const negative = load<u8>(from) == 0x2d;
  const value = magnitudeF64(negative ? from + 1 : from, to);
  return negative ? -value : value;
}

function magnitudeF64(from: usize, to: usize): f64 {
  // significand × 10^exponent, where `digits` of the significand are significant
  let significand: u64 = 0;
  let digits = 0;
  let exponent: i64 = 0;
  let point = false;
  let at = from;
  for (; at < to; at++) {
    const byte = load<u8>(at);
    if (byte == 0x2e) {
      point = true;
      continue;
    }
    const digit = byte - 0x30;
    if (digit >= 10) break;
    if (point) exponent--;
    if (digits > 0 || digit > 0) digits++;
    if (digits <= 19) significand = significand * 10 + digit;
  }
  const end = at;
  if (at < to) exponent += exponentOf(at + 1, to);
  if (digits == 0) return 0;

  // Both operands are exact doubles, so the one rounding of the operation is the right one (Clinger 1990).
  if (digits <= 19 && significand <= 1 << 53 && exponent >= -22 && exponent <= 22) {
    return exponent < 0 ? <f64>significand / power(<i32>-exponent) : <f64>significand * power(<i32>exponent);
  }
  if (<i64>digits + exponent > 310) return Infinity;
  if (<i64>digits + exponent < -330) return 0;
  return roundedQuotient(from, end, SIGNIFICANT, <i32>exponent);
}

/** 10^n, exact up to 22. */
function power(n: i32): f64 {
  let value: f64 = 1;
  for (; n > 0; n--) value *= 10;
  return value;
}

function exponentOf(at: usize, to: usize): i64 {
  const sign = load<u8>(at);
  let value: i64 = 0;
  for (; at < to; at++) {
    const digit = load<u8>(at) - 0x30;
    // Beyond this, the number is zero or infinite however many digits stand before it.
    if (digit < 10 && value < 1 << 40) value = value * 10 + digit;
  }
  return sign == 0x2d ? -value : value;
}
