import { Bytes } from "./bytes";

/** Appends a whole number in decimal. */
export function appendDecimal(bytes: Bytes, magnitude: u64, negative: bool = false): void {
  let size: usize = negative ? 2 : 1;
  for (let rest = magnitude; rest >= 10; rest /= 10) size++;
  let at = bytes.reserve(size);
  bytes.length += size;
  if (negative) store<u8>(at, 0x2d);
  at += size;
  do {
    store<u8>(--at, <u8>(0x30 + (magnitude % 10)));
    magnitude /= 10;
  } while (magnitude > 0);
}
