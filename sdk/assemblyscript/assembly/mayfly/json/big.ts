/**
 * The exact way from decimal to binary, for the few numbers that the short way cannot round with certainty:
 * long division of two large integers, bit by bit.
 */

/** 4,224 bits: the largest operand is 10^1130, shifted by less than a limb. */
const LIMBS: i32 = 132;
const SIZE: usize = <usize>LIMBS << 2;

/** The double nearest to the decimal digits in `from..to` (a point among them is skipped) × 10^exponent. */
export function roundedQuotient(from: usize, to: usize, significant: i32, exponent: i32): f64 {
  const numerator = zero();
  const denominator = zero();
  store<u32>(denominator, 1);
  let digits = 0;
  let rest = false;
  for (let at = from; at < to; at++) {
    const digit = load<u8>(at) - 0x30;
    if (digit >= 10) continue;
    if (digits > 0 || digit > 0) digits++;
    if (digits <= significant) {
      multiplyAdd(numerator, 10, digit);
    } else {
      exponent++;
      rest = rest || digit > 0;
    }
  }
  // Digits that were left out only have to tip a tie: one more digit does that.
  if (rest) {
    multiplyAdd(numerator, 10, 1);
    exponent--;
  }
  for (let i = 0; i < exponent; i++) multiplyAdd(numerator, 10, 0);
  for (let i = 0; i < -exponent; i++) multiplyAdd(denominator, 10, 0);

  // Scale until 1 <= numerator / denominator < 2; the value is that quotient × 2^binary.
  let binary = bitLength(numerator) - bitLength(denominator);
  if (binary > 0) shiftLeft(denominator, binary);
  else shiftLeft(numerator, -binary);
  if (compare(numerator, denominator) < 0) {
    shiftLeft(numerator, 1);
    binary--;
  }
  if (binary > 1023) return Infinity;
  const precision = 53 - max(0, -1022 - binary);
  if (precision < 0) return 0;

  let bits: u64 = 0;
  for (let i = 0; i < precision; i++) {
    bits <<= 1;
    if (compare(numerator, denominator) >= 0) {
      subtract(numerator, denominator);
      bits |= 1;
    }
    shiftLeft(numerator, 1);
  }
  const half = compare(numerator, denominator);
  if (half > 0 || (half == 0 && (bits & 1) == 1)) bits++;
  return <f64>bits * powerOfTwo(binary - precision + 1);
}

function powerOfTwo(n: i32): f64 {
  return n >= -1022 ? reinterpret<f64>(<u64>(n + 1023) << 52) : reinterpret<f64>(<u64>1 << (n + 1074));
}

function zero(): usize {
  const limbs = __alloc(SIZE);
  memory.fill(limbs, 0, SIZE);
  return limbs;
}

function multiplyAdd(limbs: usize, factor: u64, carry: u64): void {
  for (let at = limbs; at < limbs + SIZE; at += 4) {
    carry += <u64>load<u32>(at) * factor;
    store<u32>(at, <u32>carry);
    carry >>= 32;
  }
}

function shiftLeft(limbs: usize, bits: i32): void {
  const whole = bits >> 5;
  const part = bits & 31;
  for (let i = LIMBS - 1; i >= 0; i--) {
    const high = i >= whole ? <u64>limb(limbs, i - whole) : 0;
    const low = i > whole ? <u64>limb(limbs, i - whole - 1) : 0;
    store<u32>(limbs + (<usize>i << 2), <u32>(((high << 32) | low) << part >> 32));
  }
}

function limb(limbs: usize, index: i32): u32 {
  return load<u32>(limbs + (<usize>index << 2));
}

function subtract(limbs: usize, other: usize): void {
  let borrow: i64 = 0;
  for (let i = 0; i < LIMBS; i++) {
    borrow += <i64>limb(limbs, i) - <i64>limb(other, i);
    store<u32>(limbs + (<usize>i << 2), <u32>borrow);
    borrow >>= 32;
  }
}

function compare(limbs: usize, other: usize): i32 {
  for (let i = LIMBS - 1; i >= 0; i--) {
    const a = limb(limbs, i);
    const b = limb(other, i);
    if (a != b) return a < b ? -1 : 1;
  }
  return 0;
}

function bitLength(limbs: usize): i32 {
  let i = LIMBS - 1;
  while (i > 0 && limb(limbs, i) == 0) i--;
  return (i << 5) + 32 - clz<u32>(limb(limbs, i));
}
