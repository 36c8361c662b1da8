import { reserve } from "../memory/arena";
import { put } from "../memory/bytes";
import { fillRandom } from "../host/random";

/** Longest id taken over from a client. */
export const MAX_ID_BYTES: usize = 128;
/** `x-request-id: ` */
export const PREFIX_BYTES: usize = 14;
export const NAME_BYTES: u32 = 12;
const RANDOM_DIGITS: usize = 12;
const DIGITS: usize = 8;

/**
 * Ids that this process makes, unique over restarts at the cost of a counter: twelve random digits, then a number in
 * base 36, as the gateway's. They are names, not secrets. Kept as the whole header line.
 */
let made: usize = 0;
/** The line of an id that came with the request. */
let taken: usize = 0;

/** `x-request-id: …\r\n` of the request under way. */
export let lineStart: usize = 0;
export let lineBytes: usize = 0;

export function openRequestIds(): void {
  made = reserve(PREFIX_BYTES + RANDOM_DIGITS + 1 + DIGITS + 2);
  taken = reserve(PREFIX_BYTES + MAX_ID_BYTES + 2);
  put(taken, "x-request-id: ");
  const random = put(made, "x-request-id: ");
  fillRandom(random, RANDOM_DIGITS);
  for (let i: usize = 0; i < RANDOM_DIGITS; i++) {
    const digit = load<u8>(random + i) & 15;
    store<u8>(random + i, digit < 10 ? 0x30 + digit : 0x57 + digit);
  }
  put(random + RANDOM_DIGITS, "-00000000\r\n");
}

/** The request's own id, already found to be fit. */
export function takeId(from: usize, length: usize): void {
  memory.copy(taken + PREFIX_BYTES, from, length);
  store<u16>(taken + PREFIX_BYTES + length, 0x0a0d);
  lineStart = taken;
  lineBytes = PREFIX_BYTES + length + 2;
}

/** Makes one. */
export function makeId(): void {
  lineStart = made;
  lineBytes = PREFIX_BYTES + RANDOM_DIGITS + 1 + DIGITS + 2;
  for (let i = made + lineBytes - 3; ; i--) {
    const digit = load<u8>(i);
    if (digit == 0x7a) {
      store<u8>(i, 0x30);
      if (i == made + lineBytes - 2 - DIGITS) return;
    } else {
      store<u8>(i, digit == 0x39 ? 0x61 : digit + 1);
      return;
    }
  }
}

/** False before the first request: while the function is initialised. */
export function hasId(): bool {
  return lineBytes > 0;
}

export function idStart(): usize {
  return lineStart + PREFIX_BYTES;
}

export function idBytes(): usize {
  return lineBytes - PREFIX_BYTES - 2;
}

/** Letters, digits and a little punctuation, nothing that means something in a header or a log. */
export function isFitId(start: usize, end: usize): bool {
  if (start == end || end - start > MAX_ID_BYTES) return false;
  for (let i = start; i < end; i++) if (!isFit(load<u8>(i))) return false;
  return true;
}

/** `a-z A-Z 0-9 - _ . : / + = @` */
function isFit(byte: u8): bool {
  if (<u8>((byte | 0x20) - 0x61) < 26) return true;
  // From '-' to ':' all but ';' and what follows: - . / 0-9 :
  return <u8>(byte - 0x2d) <= 13 || byte == 0x2b || byte == 0x3d || byte == 0x40 || byte == 0x5f;
}
