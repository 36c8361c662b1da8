import { lengthOf, narrowShort, SHORT_TEXT } from "../ascii";
import { decode, equals } from "../utf8";
import { describe } from "./error";
import { ESCAPED, INTEGER, Kind, LAST } from "./kind";
import { fitsI64, toF64, toI64 } from "./number";
import { unescape } from "./unescape";

/** The bytes of a part of the JSON text. */
export class Source {
  constructor(readonly start: usize, readonly length: usize) {}
}

/**
 * A JSON value. Looking for something that is not there gives a value whose `isMissing` is true, never null, so that
 * reads chain: `order.get("customer").get("name").asString("nobody")`.
 *
 * It is a node of the parser's list (unmanaged: no header, nothing to collect), valid for the whole request.
 */
@unmanaged
export class Value {
  /** A `Kind`. */
  kind: u8 = 0;
  flags: u8 = 0;
  /** Text range: of a string what is between the quotes, of everything else the whole. Of an invalid value, the offset of the error. */
  private from: usize = 0;
  to: usize = 0;
  /** The node behind this value: its sibling, unless it is the last. */
  next: usize = 0;

  static get missing(): Value {
    return changetype<Value>(memory.data(offsetof<Value>()));
  }

  // @ts-ignore: decorator
  @inline
  set(kind: Kind, flags: u8, from: usize, to: usize): void {
    store<u16>(changetype<usize>(this), <u16>kind | (<u16>flags << 8)); // both of them
    this.from = from;
    this.to = to;
  }

  open(kind: Kind, from: usize, parent: usize): void {
    this.set(kind, 0, from, 0);
    this.next = parent;
  }

  get isMissing(): bool { return this.kind == <u8>Kind.Missing; }
  get isInvalid(): bool { return this.kind == <u8>Kind.Invalid; }
  get isNull(): bool { return this.kind == <u8>Kind.Null; }
  get isBoolean(): bool { return this.kind == <u8>Kind.True || this.kind == <u8>Kind.False; }
  get isNumber(): bool { return this.kind == <u8>Kind.Number; }
  get isString(): bool { return this.kind == <u8>Kind.String; }
  get isArray(): bool { return this.kind == <u8>Kind.Array; }
  get isObject(): bool { return this.kind == <u8>Kind.Object; }

  /** A number written without fraction and exponent that fits into 64 bits. */
  get isInteger(): bool {
    return this.isNumber && (this.flags & INTEGER) != 0 && fitsI64(this.from, this.to);
  }

  /** What is wrong with an invalid text, and where: "Expected ':' at byte 12". */
  get error(): string {
    return this.isInvalid ? describe(this.flags) + " at byte " + this.from.toString() : "";
  }

  asBoolean(fallback: bool = false): bool {
    return this.isBoolean ? this.kind == <u8>Kind.True : fallback;
  }

  /** The integer, or `fallback` when it is none or does not fit into 64 bits. */
  asInteger(fallback: i64 = 0): i64 {
    return this.isInteger ? toI64(this.from, this.to) : fallback;
  }

  /** The nearest double, or `fallback` when it is no number. */
  asNumber(fallback: f64 = 0): f64 {
    return this.isNumber ? toF64(this.from, this.to) : fallback;
  }

  asString(fallback: string = ""): string {
    if (!this.isString) return fallback;
    return this.flags & ESCAPED ? unescape(this.from, this.to) : decode(this.from, this.to - this.from);
  }

  /** Whether it is this string; makes no string of its own. */
  equals(text: string): bool {
    if (!this.isString) return false;
    if (this.flags & ESCAPED) return unescape(this.from, this.to) == text;
    return equals(this.from, this.to - this.from, text);
  }

  /** The member of that name (the last one, when there are several, as in JavaScript). */
  get(name: string): Value {
    let found = Value.missing;
    let node = this.firstNode(Kind.Object);
    const count = lengthOf(name);
    const bytes = narrowShort(changetype<usize>(name), count);
    const mask = (1 << <i32>count) - 1;
    const isSimple = count <= SHORT_TEXT && (i8x16.bitmask(i8x16.lt_s(bytes, i8x16.splat(1))) & mask) == 0;
    const last = (<usize>memory.size() << 16) - 16;
    while (node != 0) {
      const key = changetype<Value>(node);
      const value = changetype<Value>(key.next);
      if (isSimple && (key.flags & ESCAPED) == 0 && key.from <= last) {
        const isIt = key.to - key.from == count && (~i8x16.bitmask(i8x16.eq(v128.load(key.from), bytes)) & mask) == 0;
        if (isIt) found = value;
      } else if (key.equals(name)) found = value;
      node = value.flags & LAST ? 0 : value.next;
    }
    return found;
  }

  /** The element at that index. */
  at(index: i32): Value {
    if (index < 0) return Value.missing;
    let element = this.firstNode(Kind.Array);
    while (element != 0 && index-- > 0) element = changetype<Value>(element).sibling;
    return element == 0 ? Value.missing : changetype<Value>(element);
  }

  /** The elements of an array, or the values of an object. */
  values(): Value[] {
    const values: Value[] = [];
    const isObject = this.isObject;
    let node = this.firstNode(isObject ? Kind.Object : Kind.Array);
    while (node != 0) {
      const value = changetype<Value>(isObject ? changetype<Value>(node).next : node);
      values.push(value);
      node = value.sibling;
    }
    return values;
  }

  /** The member names of an object. */
  keys(): string[] {
    const keys: string[] = [];
    let key = this.firstNode(Kind.Object);
    while (key != 0) {
      keys.push(changetype<Value>(key).asString());
      key = changetype<Value>(changetype<Value>(key).next).sibling;
    }
    return keys;
  }

  /** Elements of an array or members of an object. */
  get length(): i32 {
    const isObject = this.isObject;
    let count = 0;
    let node = this.firstNode(isObject ? Kind.Object : Kind.Array);
    while (node != 0) {
      count++;
      node = (isObject ? changetype<Value>(changetype<Value>(node).next) : changetype<Value>(node)).sibling;
    }
    return count;
  }

  /** The JSON text of this value as it was read, in UTF-8. */
  get source(): Source {
    const quotes: usize = this.isString ? 1 : 0;
    if (this.isMissing || this.isInvalid) return new Source(0, 0);
    return new Source(this.from - quotes, this.to - this.from + quotes * 2);
  }

  toString(): string {
    const source = this.source;
    return decode(source.start, source.length);
  }

  private get sibling(): usize {
    return this.flags & LAST ? 0 : this.next;
  }

  private firstNode(kind: Kind): usize {
    // An empty container has no nodes of its own: its first node would be the one behind it.
    if (this.kind != <u8>kind) return 0;
    const first = changetype<usize>(this) + offsetof<Value>();
    return first == this.next ? 0 : first;
  }
}
