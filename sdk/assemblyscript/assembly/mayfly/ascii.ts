/**
 * Text that is mostly ASCII, many characters at a time (WebAssembly's SIMD). Short text counts as much as long text here:
 * what is left over behind whole steps is covered by one more step that overlaps the one before.
 */

/** Copies UTF-16 units as bytes up to the first one beyond ASCII; returns how many. There must be room for `count` bytes. */
export function narrow(units: usize, count: usize, to: usize): usize {
  let done: usize = 0;
  if (count >= 8) {
    while (true) {
      const eight = v128.load(units + (done << 1));
      if (v128.any_true(v128.and(eight, i16x8.splat(<i16>0xff80)))) break;
      store<u64>(to + done, packed(eight));
      if (done + 8 == count) return count;
      done = min(done + 8, count - 8);
    }
  }
  for (; done < count; done++) {
    const unit = load<u16>(units + (done << 1));
    if (unit >= 0x80) break;
    store<u8>(to + done, <u8>unit);
  }
  return done;
}

/** The same, but also stops at what a JSON string may not hold as it is: quote, backslash, control characters. */
export function narrowPlain(units: usize, count: usize, to: usize): usize {
  let done: usize = 0;
  if (count >= 8) {
    while (true) {
      const bytes = packed(v128.load(units + (done << 1)));
      if (specialBytes(i64x2.splat(bytes)) != 0) break;
      store<u64>(to + done, bytes);
      if (done + 8 == count) return count;
      done = min(done + 8, count - 8);
    }
  }
  for (; done < count; done++) {
    const unit = load<u16>(units + (done << 1));
    if (unit >= 0x80 || unit < 0x20 || unit == 0x22 || unit == 0x5c) break;
    store<u8>(to + done, <u8>unit);
  }
  return done;
}

/** How many UTF-16 units a text has: as `text.length`, without the call. */
// @ts-ignore: decorator
@inline
export function lengthOf(text: string): usize {
  return load<u32>(changetype<usize>(text) - 4) >> 1;
}

/** A text of so many units fits into one vector of bytes. */
export const SHORT_TEXT: usize = 16;

/**
 * The first sixteen units of a string as bytes; what does not fit becomes 0xff, or 0 from 0x8000 on, and what is behind
 * its `count` units is anything. Strings are aligned to sixteen bytes, as the end of the memory is, so that every vector
 * in which a string has a part can be read whole.
 */
// @ts-ignore: decorator
@inline
export function narrowShort(units: usize, count: usize): v128 {
  const first = v128.load(units);
  return i8x16.narrow_i16x8_u(first, count > 8 ? v128.load(units, 16) : first);
}

/** As `narrowPlain` for a SHORT_TEXT, all or nothing. There must be room for sixteen bytes at `to + 1`, where they go. */
// @ts-ignore: decorator
@inline
export function narrowPlainShort(units: usize, count: usize, to: usize): bool {
  const bytes = narrowShort(units, count);
  if ((specialBytes(bytes) & ((1 << <i32>count) - 1)) != 0) return false;
  v128.store(to, bytes, 1);
  return true;
}

/** Copies bytes as UTF-16 units; returns `length`, or a place up to which all is ASCII, with something else soon behind it. */
export function widen(from: usize, length: usize, units: usize): usize {
  let done: usize = 0;
  if (length >= 8) {
    while ((load<u64>(from + done) & 0x8080_8080_8080_8080) == 0) {
      v128.store(units + (done << 1), v128.load_ext<u8>(from + done));
      if (done + 8 == length) return length;
      done = min(done + 8, length - 8);
    }
    return done;
  }
  for (; done < length; done++) {
    const byte = load<u8>(from + done);
    if (byte >= 0x80) break;
    store<u16>(units + (done << 1), byte);
  }
  return done;
}

/** Whether bytes and units are the same text, and ASCII. */
export function sameAscii(from: usize, units: usize, count: usize): bool {
  let done: usize = 0;
  if (count >= 8) {
    while (true) {
      const bytes = v128.load_ext<u8>(from + done);
      const same = i16x8.eq(bytes, v128.load(units + (done << 1)));
      if (!i16x8.all_true(v128.and(same, i16x8.lt_s(bytes, i16x8.splat(0x80))))) return false;
      if (done + 8 == count) return true;
      done = min(done + 8, count - 8);
    }
  }
  for (; done < count; done++) {
    const byte = load<u8>(from + done);
    if (byte >= 0x80 || <u16>byte != load<u16>(units + (done << 1))) return false;
  }
  return true;
}

/** Of sixteen bytes, a bit for each that ends the plain part of a JSON string: quote, backslash, controls, beyond ASCII. */
// @ts-ignore: decorator
@inline
export function specialBytes(bytes: v128): i32 {
  // Compared as signed numbers, bytes beyond ASCII are below the space as well.
  const outside = i8x16.lt_s(bytes, i64x2(0x2020_2020_2020_2020, 0x2020_2020_2020_2020));
  const quote = i8x16.eq(bytes, i64x2(0x2222_2222_2222_2222, 0x2222_2222_2222_2222));
  const backslash = i8x16.eq(bytes, i64x2(0x5c5c_5c5c_5c5c_5c5c, 0x5c5c_5c5c_5c5c_5c5c));
  return i8x16.bitmask(v128.or(outside, v128.or(quote, backslash)));
}

/** Eight units as bytes. What does not fit becomes 0xff, or 0 from 0x8000 on: special in both cases. */
// @ts-ignore: decorator
@inline
function packed(units: v128): u64 {
  return i64x2.extract_lane(i8x16.narrow_i16x8_u(units, units), 0);
}
