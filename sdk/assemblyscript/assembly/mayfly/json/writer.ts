import { lengthOf, narrowPlain, narrowPlainShort, SHORT_TEXT } from "../ascii";
import { Bytes } from "../bytes";
import { decimal } from "../decimal";
import { HEADROOM } from "../frame";
import { encode, encodePoint, isSurrogate } from "../utf8";
import { Value } from "./value";

const MAX_DEPTH: i32 = 64;
/** Text is escaped in pieces of this many UTF-16 units, so that no more room than a piece can need is reserved. */
const PIECE: i32 = 256;
/** Room that every name and every element leaves behind it: for a number or a word, and for all brackets to be closed. */
const ROOM: usize = 128;

/**
 * Writes JSON straight to bytes, in order:
 *
 *   JSON.object().set("total", 1299).array("lines").push("a").push("b").end()
 *
 * `set` adds a member to an object, `push` an element to an array; `object` and `array` open one inside and `end`
 * closes it. A call that does not fit (a member in an array) is a mistake in the program and traps.
 *
 * Every value is written with a comma behind it; closing a container takes the last one back.
 */
export class Writer {
  private bytes: Bytes = new Bytes(1024, HEADROOM);
  /** Where the next byte goes, and the end of the room that there is. */
  private at: usize;
  private limit: usize;
  private depth: i32 = -1;
  /** One bit per open container, the innermost lowest: 1 is an object. */
  private objects: u64 = 0;

  constructor(isObject: bool) {
    const start = this.bytes.start;
    this.at = start;
    this.limit = start + 1024;
    this.open(start, isObject);
  }

  set<T>(name: string, value: T): Writer {
    this.write<T>(this.member(name), value);
    return this;
  }

  push<T>(value: T): Writer {
    this.write<T>(this.element(), value);
    return this;
  }

  /** Opens an object: as a member with a name, as an element without. */
  object(name: string | null = null): Writer {
    this.open(name === null ? this.element() : this.member(name), true);
    return this;
  }

  /** Opens an array: as a member with a name, as an element without. */
  array(name: string | null = null): Writer {
    this.open(name === null ? this.element() : this.member(name), false);
    return this;
  }

  /** Closes the innermost object or array. */
  end(): Writer {
    if (this.depth < 0) throw new Error("JSON.Writer: end() without an open object or array");
    let to = this.at;
    if (load<u8>(to - 1) == 0x2c) to--; // it is not empty
    store<u16>(to, this.objects & 1 ? 0x2c7d : 0x2c5d);
    this.at = to + 2;
    this.depth--;
    this.objects >>= 1;
    return this;
  }

  /** Closes what is still open and returns the text in UTF-8. */
  finish(): Bytes {
    while (this.depth >= 0) this.end();
    const bytes = this.bytes;
    const end = this.at;
    bytes.length = end - (load<u8>(end - 1) == 0x2c ? 1 : 0) - bytes.start;
    return bytes;
  }

  /** Room for `size` bytes behind `at`; returns where they go. `at` is the caller's to raise. */
  // @ts-ignore: decorator
  @inline
  private reserve(at: usize, size: usize): usize {
    return size > this.limit - at ? this.grow(at, size) : at;
  }

  private grow(at: usize, size: usize): usize {
    const bytes = this.bytes;
    bytes.length = at - bytes.start;
    const moved = bytes.reserve(size);
    this.limit = bytes.start + bytes.size;
    return moved;
  }

  /** The bracket goes to `to`, where there is ROOM. */
  private open(to: usize, isObject: bool): void {
    if (++this.depth == MAX_DEPTH) throw new Error("JSON.Writer: nested too deeply");
    this.objects = (this.objects << 1) | <u64>isObject;
    store<u8>(to, isObject ? 0x7b : 0x5b);
    this.at = to + 1;
  }

  /** Writes name and colon; returns where the value goes, with ROOM there. */
  private member(name: string): usize {
    if ((this.objects & 1) == 0) throw new Error("JSON.Writer: a member needs an open object");
    const to = this.text(this.at, name);
    store<u8>(to - 1, 0x3a);
    return to;
  }

  /** Returns where the value goes, with ROOM there. */
  private element(): usize {
    if (this.depth < 0 || (this.objects & 1) != 0) throw new Error("JSON.Writer: an element needs an open array");
    return this.reserve(this.at, ROOM);
  }

  /** There is ROOM at `to`. */
  private write<T>(to: usize, value: T): void {
    if (isBoolean<T>()) {
      this.literal(to, value ? "true" : "false");
    } else if (isInteger<T>()) {
      if (isSigned<T>()) this.integer(to, <u64>abs(<i64>value), value < 0);
      else this.integer(to, <u64>value, false);
    } else if (isFloat<T>()) {
      this.float(to, <f64>value);
    } else if (isString<T>()) {
      if (changetype<usize>(value) == 0) this.literal(to, "null");
      else this.text(to, changetype<string>(value));
    } else if (value instanceof Value) {
      const source = changetype<Value>(value).source;
      if (source.length == 0) this.literal(to, "null");
      else this.source(to, source.start, source.length);
    } else {
      ERROR("JSON.Writer takes booleans, numbers, strings and JSON.Value");
    }
  }

  private integer(to: usize, magnitude: u64, negative: bool): void {
    const end = decimal(to, magnitude, negative);
    store<u8>(end, 0x2c);
    this.at = end + 1;
  }

  /** As JSON.stringify does: NaN and the infinities have no text in JSON and become null. */
  private float(to: usize, value: f64): void {
    if (!isFinite(value)) this.literal(to, "null");
    else if (abs(value) < 9007199254740992 && trunc(value) == value) this.integer(to, <u64>abs(value), value < 0);
    else this.literal(to, value.toString());
  }

  /** A few characters of ASCII that need no quotes: words, and numbers of at most 28 characters. */
  private literal(to: usize, word: string): void {
    const end = to + encode(word, to);
    store<u8>(end, 0x2c);
    this.at = end + 1;
  }

  private source(to: usize, from: usize, length: usize): void {
    const start = this.reserve(to, length + ROOM);
    memory.copy(start, from, length);
    store<u8>(start + length, 0x2c);
    this.at = start + length + 1;
  }

  /** The text in quotes and a comma, at `to`; returns the place behind it, where there is ROOM. */
  private text(to: usize, text: string): usize {
    const count = lengthOf(text);
    const at = this.reserve(to, count + ROOM + 3);
    store<u8>(at, 0x22);
    let end = at + count;
    if (count > SHORT_TEXT || !narrowPlainShort(changetype<usize>(text), count, at)) end = this.anyText(at, text, count);
    store<u16>(end, 0x2c22, 1);
    end += 3;
    this.at = end;
    return end;
  }

  /** The text behind the quote at `at`; returns the place of its last byte, behind which there is ROOM. */
  private anyText(at: usize, text: string, count: usize): usize {
    const plain = narrowPlain(changetype<usize>(text), count, at + 1);
    if (plain == count) return at + plain;
    this.at = at + plain + 1;
    this.escapeFrom(text, <i32>plain);
    return this.reserve(this.at, ROOM + 3) - 1;
  }

  /** The rest of a text in which something has to be escaped, or is not ASCII. */
  private escapeFrom(text: string, i: i32): void {
    const count = text.length;
    while (i < count) {
      const stop = min(i + PIECE, count);
      const start = this.reserve(this.at, <usize>PIECE * 6 + ROOM);
      let at = start;
      while (i < stop) {
        const unit = load<u16>(changetype<usize>(text) + (<usize>i << 1));
        if (unit >= 0x80) {
          const point = text.codePointAt(i);
          at = isSurrogate(point) ? escapeUnit(unit, at) : encodePoint(point, at);
          i += point >= 0x10000 ? 2 : 1;
        } else {
          if (unit >= 0x20 && unit != 0x22 && unit != 0x5c) store<u8>(at++, <u8>unit);
          else at = escapeUnit(unit, at);
          i++;
        }
      }
      this.at = at;
    }
  }
}

/** Writes a character that may not stand in a string as it is: quote, backslash, controls, lone surrogates. */
function escapeUnit(unit: u32, to: usize): usize {
  store<u8>(to, 0x5c);
  if (unit == 0x22 || unit == 0x5c) {
    store<u8>(to, <u8>unit, 1);
    return to + 2;
  }
  store<u8>(to, 0x75, 1);
  for (let i: usize = 0; i < 4; i++) {
    const digit = <u8>((unit >> (12 - 4 * <u32>i)) & 15);
    store<u8>(to + i, digit < 10 ? 0x30 + digit : 0x57 + digit, 2);
  }
  return to + 6;
}
