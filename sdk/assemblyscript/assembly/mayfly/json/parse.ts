import { specialBytes } from "../ascii";
import { encode, encodedCapacity, sequenceLength } from "../utf8";
import { JsonError } from "./error";
import { ESCAPED, INTEGER, Kind, LAST } from "./kind";
import { Value } from "./value";

/** Arrays and objects inside each other; deeper text is refused. */
export const MAX_DEPTH: i32 = 128;

const NODE_SIZE: usize = offsetof<Value>();

// What went wrong while scanning a token, and where; read once by `parseBytes`.
let error: JsonError = JsonError.None;
let errorAt: usize = 0;

function fail(kind: JsonError, at: usize): usize {
  error = kind;
  errorAt = at;
  return 0;
}

/** Reads JSON text. Never fails: malformed text gives a value whose `isInvalid` is true. */
export function parse(text: string): Value {
  const bytes = __alloc(encodedCapacity(text));
  return parseBytes(bytes, encode(text, bytes));
}

/**
 * Reads UTF-8 JSON (RFC 8259) in one pass that checks everything and converts nothing: it leaves a list of nodes in
 * document order, each with the range of its text; strings and numbers are converted when somebody asks for them.
 * There is no recursion: while a container is open, its `next` holds its parent.
 */
export function parseBytes(start: usize, length: usize): Value {
  const end = start + length;
  let capacity = (length >> 2) + 8;
  const nodes = __alloc(capacity * NODE_SIZE);
  let full = nodes + capacity * NODE_SIZE;
  let free = nodes;
  let parent: usize = 0;
  let depth = 0;
  let at = start;
  let wantsKey = false;
  let inObject = false;
  // Sixteen bytes can be looked at from up to here: those behind the text are somebody's, and do not count.
  const last = (<usize>memory.size() << 16) - 16;

  while (true) {
    // A value, or a member name with its colon, begins here.
    at = skipSpace(at, end);
    if (free == full) {
      capacity <<= 1;
      // The list is the newest block of the bump allocator, so it grows where it is and nodes may point at each other.
      assert(__realloc(nodes, capacity * NODE_SIZE) == nodes);
      full = nodes + capacity * NODE_SIZE;
    }
    let node = changetype<Value>(free);
    free += NODE_SIZE;
    if (at >= end) return invalid(nodes, JsonError.UnexpectedEnd, at - start);
    const byte = load<u8>(at);

    if (byte == 0x22 /* " */) {
      const from = at + 1;
      at = from <= last ? from + ctz(specialBytes(v128.load(from)) | 0x1_0000) : from;
      if (at < end && load<u8>(at) == 0x22) {
        node.set(Kind.String, 0, from, at);
        at++;
      } else {
        at = scanString(from, min(at, end), end, last, node);
        if (at == 0) return invalid(nodes, error, errorAt - start);
      }
      if (wantsKey) {
        at = skipSpace(at, end);
        if (at >= end) return invalid(nodes, JsonError.UnexpectedEnd, at - start);
        if (load<u8>(at) != 0x3a /* : */) return invalid(nodes, JsonError.ExpectedColon, at - start);
        at++;
        node.next = free;
        wantsKey = false;
        continue;
      }
    } else if (wantsKey) {
      return invalid(nodes, JsonError.ExpectedKey, at - start);
    } else if (byte == 0x7b /* { */ || byte == 0x5b /* [ */) {
      if (++depth > MAX_DEPTH) return invalid(nodes, JsonError.TooDeep, at - start);
      const isObject = byte == 0x7b;
      node.open(isObject ? Kind.Object : Kind.Array, at, parent);
      at = skipSpace(at + 1, end);
      if (at >= end || load<u8>(at) != byte + 2 /* } or ] */) {
        parent = changetype<usize>(node);
        wantsKey = inObject = isObject;
        continue;
      }
      depth--;
      at++;
      node.to = at;
    } else if (byte == 0x2d /* - */ || byte - 0x30 < 10) {
      at = scanNumber(at, end, node);
      if (at == 0) return invalid(nodes, error, errorAt - start);
    } else {
      at = scanWord(at, end, node);
      if (at == 0) return invalid(nodes, error, errorAt - start);
    }

    // A value is complete: close the containers that end with it.
    while (true) {
      node.next = free;
      at = skipSpace(at, end);
      if (parent == 0) {
        if (at < end) return invalid(nodes, JsonError.TrailingCharacters, at - start);
        __realloc(nodes, free - nodes);
        return changetype<Value>(nodes);
      }
      if (at >= end) return invalid(nodes, JsonError.UnexpectedEnd, at - start);
      const separator = load<u8>(at++);
      if (separator == 0x2c /* , */) {
        wantsKey = inObject;
        break;
      }
      if (separator != <u8>(inObject ? 0x7d : 0x5d)) {
        return invalid(nodes, JsonError.ExpectedCommaOrEnd, at - 1 - start);
      }
      node.flags |= LAST;
      const container = changetype<Value>(parent);
      parent = container.next;
      inObject = parent != 0 && changetype<Value>(parent).kind == <u8>Kind.Object;
      depth--;
      container.to = at;
      node = container;
    }
  }
}

function invalid(nodes: usize, why: JsonError, offset: usize): Value {
  const value = changetype<Value>(nodes);
  value.set(Kind.Invalid, <u8>why, offset, 0);
  return value;
}

// @ts-ignore: decorator
@inline
function skipSpace(at: usize, end: usize): usize {
  return at < end && load<u8>(at) <= 0x20 ? skipSpaces(at, end) : at;
}

function skipSpaces(at: usize, end: usize): usize {
  while (at < end) {
    const byte = load<u8>(at);
    if (byte > 0x20 || (byte != 0x20 && byte != 0x0a && byte != 0x0d && byte != 0x09)) break;
    at++;
  }
  return at;
}

/** A string begins at `from`, and is plain up to `at`. Returns the place behind its closing quote. */
function scanString(from: usize, at: usize, end: usize, last: usize, node: Value): usize {
  let flags: u8 = 0;
  while (at < end) {
    while (at < end && at <= last) {
      const special = specialBytes(v128.load(at));
      if (special != 0) {
        at += ctz(special);
        break;
      }
      at += 16;
    }
    if (at >= end) break;
    const byte = load<u8>(at);
    if (byte == 0x22 /* " */) {
      node.set(Kind.String, flags, from, at);
      return at + 1;
    }
    if (byte == 0x5c /* \ */) {
      flags = ESCAPED;
      at = skipEscape(at, end);
      if (at == 0) return 0;
    } else if (byte < 0x20) {
      return fail(JsonError.ControlCharacter, at);
    } else {
      // Beyond ASCII one such character is mostly followed by others; plain ones come here only at the end of memory.
      do {
        const size = sequenceLength(at, end);
        if (size < 0) return fail(JsonError.BadUtf8, at);
        at += size;
      } while (at < end && load<u8>(at) >= 0x80);
    }
  }
  return fail(JsonError.UnexpectedEnd, end);
}

function skipEscape(at: usize, end: usize): usize {
  if (at + 1 >= end) return fail(JsonError.UnexpectedEnd, end);
  switch (load<u8>(at, 1)) {
    case 0x22: case 0x5c: case 0x2f: // " \ /
    case 0x62: case 0x66: case 0x6e: case 0x72: case 0x74: // b f n r t
      return at + 2;
    case 0x75: // u
      for (let digit = at + 2; digit < at + 6; digit++) {
        if (digit >= end) return fail(JsonError.UnexpectedEnd, end);
        const byte = load<u8>(digit);
        if (byte - 0x30 >= 10 && (byte | 0x20) - 0x61 >= 6) return fail(JsonError.BadEscape, digit);
      }
      return at + 6;
    default:
      return fail(JsonError.BadEscape, at + 1);
  }
}

/** `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?` */
function scanNumber(at: usize, end: usize, node: Value): usize {
  const from = at;
  let flags: u8 = INTEGER;
  if (load<u8>(at) == 0x2d) at++;
  const digits = at;
  at = skipDigits(at, end);
  if (at == digits || (load<u8>(digits) == 0x30 && at > digits + 1)) return fail(JsonError.BadNumber, at);
  if (at < end && load<u8>(at) == 0x2e /* . */) {
    flags = 0;
    const fraction = ++at;
    at = skipDigits(at, end);
    if (at == fraction) return fail(JsonError.BadNumber, at);
  }
  if (at < end && (load<u8>(at) | 0x20) == 0x65 /* e */) {
    flags = 0;
    at++;
    if (at < end && (load<u8>(at) == 0x2b || load<u8>(at) == 0x2d)) at++;
    const exponent = at;
    at = skipDigits(at, end);
    if (at == exponent) return fail(JsonError.BadNumber, at);
  }
  node.set(Kind.Number, flags, from, at);
  return at;
}

function skipDigits(at: usize, end: usize): usize {
  while (at < end && load<u8>(at) - 0x30 < 10) at++;
  return at;
}

function scanWord(at: usize, end: usize, node: Value): usize {
  if (at + 4 <= end) {
    const word = load<u32>(at);
    if (word == 0x65757274 /* "true" */) {
      node.set(Kind.True, 0, at, at + 4);
      return at + 4;
    }
    if (word == 0x6c6c756e /* "null" */) {
      node.set(Kind.Null, 0, at, at + 4);
      return at + 4;
    }
    if (word == 0x736c6166 /* "fals" */ && at + 5 <= end && load<u8>(at, 4) == 0x65) {
      node.set(Kind.False, 0, at, at + 5);
      return at + 5;
    }
  }
  return fail(JsonError.ExpectedValue, at);
}
