import { put } from "./memory/bytes";

/** Texts of guests on their way into the log: any bytes in, JSON in UTF-8 out, tokens made unreadable. */

/** What is beyond in a message is cut. */
export const MAX_MESSAGE_BYTES: usize = 8192;

/** Writes UTF-8 as the inside of a JSON string; ill-formed sequences become U+FFFD as the Encoding Standard has it. */
export function putEscaped(to: usize, start: usize, end: usize): usize {
  let at = to;
  for (let i = start; i < end;) {
    const length = tokenBytes(i, start, end);
    if (length > 0) {
      at = put(at, "[redacted]");
      i += length;
      continue;
    }
    const byte = load<u8>(i);
    if (byte < 0x80) {
      at = putCharacter(at, byte);
      i++;
      continue;
    }
    const taken = sequenceBytes(i, end);
    if (taken > 0) {
      memory.copy(at, i, taken);
      at += taken;
      i += taken;
    } else {
      at = putReplacement(at);
      i -= taken;
    }
  }
  return at;
}

function putCharacter(to: usize, byte: u8): usize {
  if (byte >= 0x20 && byte != 0x22 && byte != 0x5c) {
    store<u8>(to, byte);
    return to + 1;
  }
  switch (byte) {
    case 0x08: return put(to, "\\b");
    case 0x09: return put(to, "\\t");
    case 0x0a: return put(to, "\\n");
    case 0x0c: return put(to, "\\f");
    case 0x0d: return put(to, "\\r");
    case 0x22: return put(to, '\\"');
    case 0x5c: return put(to, "\\\\");
  }
  const at = put(to, "\\u00");
  store<u8>(at, 0x30 + (byte >> 4));
  const low = byte & 15;
  store<u8>(at + 1, low < 10 ? 0x30 + low : 0x57 + low);
  return at + 2;
}

function putReplacement(to: usize): usize {
  store<u16>(to, 0xbfef);
  store<u8>(to + 2, 0xbd);
  return to + 3;
}

/**
 * Length of the well-formed UTF-8 sequence at `i`, which does not begin with ASCII; below 0: how many bytes one
 * replacement character stands for (Encoding Standard, UTF-8 decoder).
 */
function sequenceBytes(i: usize, end: usize): i32 {
  const first = load<u8>(i);
  let more = 0;
  let lowest: u8 = 0x80;
  let highest: u8 = 0xbf;
  if (first >= 0xc2 && first <= 0xdf) more = 1;
  else if (first >= 0xe0 && first <= 0xef) {
    more = 2;
    if (first == 0xe0) lowest = 0xa0;
    if (first == 0xed) highest = 0x9f;
  } else if (first >= 0xf0 && first <= 0xf4) {
    more = 3;
    if (first == 0xf0) lowest = 0x90;
    if (first == 0xf4) highest = 0x8f;
  } else return -1;
  for (let k = 1; k <= more; k++) {
    const byte = i + k < end ? load<u8>(i + k) : 0;
    if (byte < lowest || byte > highest) return -k;
    lowest = 0x80;
    highest = 0xbf;
  }
  return more + 1;
}

/** A JSON Web Token: three parts in base64url, the first of which begins with `{"`, which is `eyJ`. 0: there is none. */
function tokenBytes(at: usize, start: usize, end: usize): i32 {
  if (at + 6 > end || load<u8>(at) != 0x65 || load<u16>(at + 1) != 0x4a79) return 0;
  if (at > start && isWord(load<u8>(at - 1)) && load<u8>(at - 1) != 0x2d) return 0;
  const first = skipBase64(at + 3, end);
  if (first == at + 3 || first >= end || load<u8>(first) != 0x2e) return 0;
  const second = skipBase64(first + 1, end);
  if (second == first + 1 || second >= end || load<u8>(second) != 0x2e) return 0;
  return <i32>(skipBase64(second + 1, end) - at);
}

function skipBase64(start: usize, end: usize): usize {
  let i = start;
  while (i < end && isWord(load<u8>(i))) i++;
  return i;
}

/** Letters, digits, `_` and `-`. */
function isWord(byte: u8): bool {
  return <u8>((byte | 0x20) - 0x61) < 26 || <u8>(byte - 0x30) < 10 || byte == 0x5f || byte == 0x2d;
}
