/** Whether `length` bytes are the same; 16 at a time, so 16 bytes behind either may be read. */
export function equal(a: usize, b: usize, length: usize): bool {
  let i: usize = 0;
  while (i + 16 <= length) {
    if (v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) return false;
    i += 16;
  }
  if (i == length) return true;
  const different = ~i8x16.bitmask(i8x16.eq(v128.load(a + i), v128.load(b + i)));
  return <usize>ctz(different) >= length - i;
}

/** Writes an ASCII literal; returns the address behind it. */
export function put(at: usize, literal: string): usize {
  const length = literal.length;
  const source = changetype<usize>(literal);
  for (let i = 0; i < length; i++) store<u8>(at + i, load<u8>(source + (<usize>i << 1)));
  return at + length;
}

/** Writes so many bytes; returns the address behind them. */
// @ts-ignore: decorator
@inline
export function putBytes(at: usize, from: usize, length: usize): usize {
  memory.copy(at, from, length);
  return at + length;
}

/** Writes a number in decimal digits. */
export function putNumber(at: usize, value: u32): usize {
  let digits = 1;
  for (let rest = value; rest >= 10; rest /= 10) digits++;
  let rest = value;
  for (let i = digits - 1; i >= 0; i--) {
    const next = rest / 10;
    store<u8>(at + i, 0x30 + (rest - next * 10));
    rest = next;
  }
  return at + digits;
}

/** Writes a number in so many digits, zeros in front. */
export function putDigits(at: usize, value: u32, digits: i32): usize {
  let rest = value;
  for (let i = digits - 1; i >= 0; i--) {
    store<u8>(at + i, 0x30 + (rest % 10));
    rest /= 10;
  }
  return at + digits;
}

/** Whether [start, end) is the ASCII literal, byte by byte. */
export function is(start: usize, end: usize, literal: string): bool {
  const length = literal.length;
  if (end - start != <usize>length) return false;
  for (let i = 0; i < length; i++) {
    if (load<u8>(start + i) != load<u8>(changetype<usize>(literal) + (<usize>i << 1))) return false;
  }
  return true;
}

/**
 * Whether [start, end) is the literal, letters in either case. For literals of lower-case letters, digits and `-`, and
 * bytes that are known to be of the TOKEN or FIELD set: there, setting bit 5 changes letters only.
 */
export function isIgnoringCase(start: usize, end: usize, literal: string): bool {
  const length = literal.length;
  if (end - start != <usize>length) return false;
  for (let i = 0; i < length; i++) {
    if ((load<u8>(start + i) | 0x20) != load<u8>(changetype<usize>(literal) + (<usize>i << 1))) return false;
  }
  return true;
}

/** Where the byte is in [start, end), or `end`. */
export function find(start: usize, end: usize, byte: u8): usize {
  let i = start;
  while (i < end && load<u8>(i) != byte) i++;
  return i;
}
