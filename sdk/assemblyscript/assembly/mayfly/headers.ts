import { Bytes } from "./bytes";
import { HEADER_ENTRY_SIZE, RequestField } from "./frame";
import { decode, encode, encodedCapacity, equalsIgnoringCase, sameName } from "./utf8";

/** The header fields of a request, read straight from its frame. */
export class RequestHeaders {
  constructor(private frame: usize) {}

  /** The value, or null when the field is missing. Several fields of one name are joined with ", " (as fetch does). */
  get(name: string): string | null {
    let found: string | null = null;
    const count = <usize>load<u16>(this.frame, RequestField.HEADER_COUNT);
    let entry = this.frame + RequestField.HEADERS;
    for (let i: usize = 0; i < count; i++, entry += HEADER_ENTRY_SIZE) {
      if (!equalsIgnoringCase(this.frame + load<u32>(entry), load<u32>(entry, 4), name)) continue;
      const value = decode(this.frame + load<u32>(entry, 8), load<u32>(entry, 12));
      found = found === null ? value : found + ", " + value;
    }
    return found;
  }

  has(name: string): bool {
    return this.get(name) !== null;
  }
}

/** The header fields of a response. */
export class ResponseHeaders {
  private names: string[] = [];
  private values: string[] = [];

  get(name: string): string | null {
    const at = this.find(name);
    return at < 0 ? null : this.values[at];
  }

  has(name: string): bool {
    return this.find(name) >= 0;
  }

  /** Sets the field, replacing an earlier one of this name. */
  set(name: string, value: string): void {
    const at = this.find(name);
    if (at < 0) this.append(name, value);
    else this.values[at] = value;
  }

  /** Adds one more field of this name (`set-cookie` is the one that needs it). */
  append(name: string, value: string): void {
    this.names.push(name);
    this.values.push(value);
  }

  delete(name: string): void {
    for (let at = this.find(name); at >= 0; at = this.find(name)) {
      this.names.splice(at, 1);
      this.values.splice(at, 1);
    }
  }

  get count(): i32 {
    return this.names.length;
  }

  private find(name: string): i32 {
    for (let i = 0; i < this.names.length; i++) {
      if (sameName(this.names[i], name)) return i;
    }
    return -1;
  }

  /** Appends the header block of the response frame. */
  writeTo(block: Bytes): void {
    for (let i = 0; i < this.names.length; i++) writeHeader(block, this.names[i], this.values[i]);
  }
}

/** One entry of the header block: two lengths, name, value. */
export function writeHeader(block: Bytes, name: string, value: string): void {
  const entry = block.reserve(4 + encodedCapacity(name) + encodedCapacity(value));
  const nameLength = encode(name, entry + 4);
  const valueLength = encode(value, entry + 4 + nameLength);
  if (nameLength > 0xffff || valueLength > 0xffff) throw new Error("A response header is longer than 65535 bytes");
  store<u16>(entry, <u16>nameLength);
  store<u16>(entry, <u16>valueLength, 2);
  block.length += 4 + nameLength + valueLength;
}
