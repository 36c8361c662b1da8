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
  } else if (count >= 4) {
    while (true) {
      const bytes = packed(i64x2.splat(load<u64>(units + (done << 1))));
      if (specialBytes(i64x2.splat(bytes)) != 0) break;
      store<u32>(to + done, <u32>bytes);
      if (done + 4 == count) return count;
      done = count - 4;
    }
  }
  for (; done < count; done++) {
    const unit = load<u16>(units + (done << 1));
    if (unit >= 0x80 || unit < 0x20 || unit == 0x22 || unit == 0x5c) break;
    store<u8>(to + done, <u8>unit);
  }
  return done;
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
  const outside = i8x16.lt_s(bytes, i8x16.splat(0x20));
  const quote = i8x16.eq(bytes, i8x16.splat(0x22));
  const backslash = i8x16.eq(bytes, i8x16.splat(0x5c));
  return i8x16.bitmask(v128.or(outside, v128.or(quote, backslash)));
}

/** Eight units as bytes. What does not fit becomes 0xff, or 0 from 0x8000 on: special in both cases. */
// @ts-ignore: decorator
@inline
function packed(units: v128): u64 {
  return i64x2.extract_lane(i8x16.narrow_i16x8_u(units, units), 0);
}
