import { narrowPlain } from "../ascii";
import { Bytes } from "../bytes";
import { appendDecimal } from "../decimal";
import { HEADROOM } from "../frame";
import { encodePoint, isSurrogate } from "../utf8";
import { Value } from "./value";

const MAX_DEPTH: i32 = 64;
/** Text is escaped in pieces of this many UTF-16 units, so that no more room than a piece can need is reserved. */
const PIECE: i32 = 256;

/**
 * Writes JSON straight to bytes, in order:
 *
 *   JSON.object().set("total", 1299).array("lines").push("a").push("b").end()
 *
 * `set` adds a member to an object, `push` an element to an array; `object` and `array` open one inside and `end`
 * closes it. A call that does not fit (a member in an array) is a mistake in the program and traps.
 */
export class Writer {
  private bytes: Bytes = new Bytes(1024, HEADROOM);
  private depth: i32 = -1;
  /** One bit per open container: 1 is an object. */
  private objects: u64 = 0;
  private needsComma: bool = false;

  constructor(isObject: bool) {
    this.open(isObject);
  }

  set<T>(name: string, value: T): Writer {
    this.member(name);
    this.write<T>(value);
    return this;
  }

  push<T>(value: T): Writer {
    this.element();
    this.write<T>(value);
    return this;
  }

  /** Opens an object: as a member with a name, as an element without. */
  object(name: string | null = null): Writer {
    if (name === null) this.element();
    else this.member(name);
    return this.open(true);
  }

  /** Opens an array: as a member with a name, as an element without. */
  array(name: string | null = null): Writer {
    if (name === null) this.element();
    else this.member(name);
    return this.open(false);
  }

  /** Closes the innermost object or array. */
  end(): Writer {
    if (this.depth < 0) throw new Error("JSON.Writer: end() without an open object or array");
    this.bytes.push(this.inObject ? 0x7d : 0x5d);
    this.depth--;
    this.needsComma = true;
    return this;
  }

  /** Closes what is still open and returns the text in UTF-8. */
  finish(): Bytes {
    while (this.depth >= 0) this.end();
    return this.bytes;
  }

  private get inObject(): bool {
    return ((this.objects >> this.depth) & 1) == 1;
  }

  private open(isObject: bool): Writer {
    if (++this.depth == MAX_DEPTH) throw new Error("JSON.Writer: nested too deeply");
    const bit = <u64>1 << this.depth;
    this.objects = isObject ? this.objects | bit : this.objects & ~bit;
    this.bytes.push(isObject ? 0x7b : 0x5b);
    this.needsComma = false;
    return this;
  }

  private member(name: string): void {
    if (this.depth < 0 || !this.inObject) throw new Error("JSON.Writer: a member needs an open object");
    if (this.needsComma) this.bytes.push(0x2c);
    this.writeString(name, true);
    this.needsComma = true;
  }

  private element(): void {
    if (this.depth < 0 || this.inObject) throw new Error("JSON.Writer: an element needs an open array");
    if (this.needsComma) this.bytes.push(0x2c);
    this.needsComma = true;
  }

  private write<T>(value: T): void {
    if (isBoolean<T>()) {
      this.bytes.appendText(value ? "true" : "false");
    } else if (isInteger<T>()) {
      if (isSigned<T>()) appendDecimal(this.bytes, <u64>abs(<i64>value), value < 0);
      else appendDecimal(this.bytes, <u64>value, false);
    } else if (isFloat<T>()) {
      this.writeFloat(<f64>value);
    } else if (isString<T>()) {
      if (changetype<usize>(value) == 0) this.bytes.appendText("null");
      else this.writeString(changetype<string>(value));
    } else if (value instanceof Value) {
      const source = changetype<Value>(value).source;
      if (source.length == 0) this.bytes.appendText("null");
      else this.bytes.append(source.start, source.length);
    } else {
      ERROR("JSON.Writer takes booleans, numbers, strings and JSON.Value");
    }
  }

  /** As JSON.stringify does: NaN and the infinities have no text in JSON and become null. */
  private writeFloat(value: f64): void {
    if (!isFinite(value)) this.bytes.appendText("null");
    else if (abs(value) < 9007199254740992 && trunc(value) == value) appendDecimal(this.bytes, <u64>abs(value), value < 0);
    else this.bytes.appendText(value.toString());
  }

  /** The text in quotes, as the name of a member with its colon. */
  private writeString(text: string, isName: bool = false): void {
    const bytes = this.bytes;
    const count = <usize>text.length;
    const to = bytes.reserve(count + 3);
    store<u8>(to, 0x22);
    const plain = narrowPlain(changetype<usize>(text), count, to + 1);
    bytes.length += 1 + plain;
    if (plain < count) {
      this.escapeFrom(text, <i32>plain);
      bytes.reserve(2);
    }
    const end = bytes.start + bytes.length;
    store<u16>(end, 0x3a22); // quote and colon
    bytes.length += isName ? 2 : 1;
  }

  /** The rest of a text in which something has to be escaped, or is not ASCII. */
  private escapeFrom(text: string, i: i32): void {
    const count = text.length;
    while (i < count) {
      const stop = min(i + PIECE, count);
      const start = this.bytes.reserve(PIECE * 6 + 4);
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
      this.bytes.length += at - start;
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
