import { Bytes } from "./bytes";

/** Most bytes that a whole number takes: a sign and twenty digits. */
export const DECIMAL_BYTES: usize = 21;

/** Appends a whole number in decimal. */
export function appendDecimal(bytes: Bytes, magnitude: u64, negative: bool = false): void {
  const to = bytes.reserve(DECIMAL_BYTES);
  bytes.length += anyDecimal(to, magnitude, negative) - to;
}

/** Writes a whole number in decimal where there is room for DECIMAL_BYTES; returns the place behind it. */
export function decimal(to: usize, magnitude: u64, negative: bool): usize {
  return magnitude < 10_000 && !negative ? fourDigits(to, <u32>magnitude) : anyDecimal(to, magnitude, negative);
}

function anyDecimal(to: usize, magnitude: u64, negative: bool): usize {
  let size: usize = negative ? 2 : 1;
  for (let rest = magnitude; rest >= 10; rest /= 10) size++;
  store<u8>(to, 0x2d);
  let at = to + size;
  do {
    store<u8>(--at, <u8>(0x30 + (magnitude % 10)));
    magnitude /= 10;
  } while (magnitude > 0);
  return to + size;
}

/**
 * A number below 10,000: its four digits in the bytes of one word, the first one lowest, then those behind leading zeros.
 * A product with 103 / 1024 is a division by 10 for numbers below 100; both halves are divided at once.
 */
// @ts-ignore: decorator
@inline
function fourDigits(to: usize, value: u32): usize {
  const hundreds = value / 100;
  const halves = hundreds | ((value - hundreds * 100) << 16);
  const tens = ((halves * 103) >> 10) & 0x000f_000f;
  const digits = tens | ((halves - tens * 10) << 8);
  const leading = ctz(digits | 0x0100_0000) & 24;
  store<u32>(to, (digits | 0x3030_3030) >> leading);
  return to + 4 - (leading >> 3);
}
