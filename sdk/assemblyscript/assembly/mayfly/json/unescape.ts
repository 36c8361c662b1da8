import { hexDigit } from "../query";
import { decodeOne, sequenceLength } from "../utf8";

/**
 * The text of a string with escapes, which the parser has checked already. Straight to UTF-16, because a lone
 * surrogate (`"\ud83d"` is legal JSON) exists only there.
 */
export function unescape(from: usize, to: usize): string {
  const text = changetype<string>(__new((to - from) << 1, idof<string>()));
  const units = changetype<usize>(text);
  let out = units;
  while (from < to) {
    if (load<u8>(from) != 0x5c /* \ */) {
      const size = sequenceLength(from, to);
      out = decodeOne(from, size, out);
      from += size;
      continue;
    }
    const letter = load<u8>(from, 1);
    if (letter == 0x75 /* u */) {
      store<u16>(out, hexUnit(from + 2));
      from += 6;
    } else {
      store<u16>(out, escapedUnit(letter));
      from += 2;
    }
    out += 2;
  }
  return changetype<string>(__renew(units, out - units));
}

function hexUnit(at: usize): u16 {
  let unit = 0;
  for (let i: usize = 0; i < 4; i++) unit = (unit << 4) | hexDigit(load<u8>(at + i));
  return <u16>unit;
}

function escapedUnit(letter: u8): u16 {
  switch (letter) {
    case 0x62: return 0x08; // b
    case 0x66: return 0x0c; // f
    case 0x6e: return 0x0a; // n
    case 0x72: return 0x0d; // r
    case 0x74: return 0x09; // t
    default: return letter; // " \ /
  }
}
