/**
 * Reading four bytes at once, for the loops that see every byte of a request. The words tell only "nothing special in
 * here": what is special is then looked at byte by byte, so both ways read the same.
 * How a word is searched in a few operations: Mycroft 1987, in Warren, Hacker's Delight §6-1.
 */

const EACH_01 = 0x01010101;
const EACH_20 = 0x20202020;
const EACH_7F = 0x7f7f7f7f;
const EACH_TOP = 0x80808080 | 0;

let bytesInView: Uint8Array = new Uint8Array(0);
let view = new DataView(bytesInView.buffer);

/** `bytes` as words. A thread reads into the same buffer nearly always, so the last view is kept. */
export function wordsOf(bytes: Uint8Array): DataView {
  if (bytes === bytesInView) return view;
  bytesInView = bytes;
  view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view;
}

/** Skips whole words without a control character: returns the start of the first that has one, or of the rest below four bytes. */
export function skipPlainWords(words: DataView, start: number, end: number): number {
  let i = start;
  for (; i + 4 <= end; i += 4) {
    const word = words.getInt32(i, true);
    const notDelete = word ^ EACH_7F;
    const below20 = (word - EACH_20) & ~word;
    const equal7f = (notDelete - EACH_01) & ~notDelete;
    if (((below20 | equal7f) & EACH_TOP) !== 0) return i;
  }
  return i;
}
