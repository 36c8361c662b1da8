import { equalsIgnoreCase, lowerCase } from './characters.ts';
import {
  AUTHORIZATION,
  CONNECTION,
  CONTENT_LENGTH,
  CONTENT_TYPE,
  EXPECT,
  HOP_BY_HOP,
  HOST,
  IDEMPOTENCY_KEY,
  OTHER,
  REQUEST_ID,
  TRACEPARENT,
  TRANSFER_ENCODING,
} from './fields.ts';

/** A name that the gateway knows, prepared to be compared four bytes at a time, its colon included. */
class KnownField {
  readonly kind: number;
  readonly name: Uint8Array;
  /** Where each word begins within the name, the bits that upper and lower case differ in, and the word with them set. */
  readonly #offsets: Int32Array;
  readonly #caseBits: Int32Array;
  readonly #words: Int32Array;

  constructor(name: string, kind: number) {
    this.kind = kind;
    this.name = lowerCase(name);
    const text = Buffer.from(`${name}:`.padEnd(4, ANY));
    const count = Math.ceil(text.length / 4);
    this.#offsets = Int32Array.from({ length: count }, (_, i) => Math.min(i * 4, text.length - 4));
    const caseBits = Buffer.from(text.map((byte) => caseBitsOf(byte)));
    this.#caseBits = this.#offsets.map((offset) => caseBits.readInt32LE(offset));
    this.#words = this.#offsets.map((offset, i) => text.readInt32LE(offset) | this.#caseBits[i]);
  }

  /** Whether name and colon stand at `start`. Bit 5 is set in letters only: elsewhere CR would pass for `-`. */
  standsAt(words: DataView, start: number, end: number): boolean {
    const offsets = this.#offsets;
    const last = offsets.length - 1;
    if (start + offsets[last] + 4 > end) return false; // the line is not all here
    for (let i = 0; i <= last; i++) {
      if ((words.getInt32(start + offsets[i], true) | this.#caseBits[i]) !== this.#words[i]) return false;
    }
    return true;
  }
}

/** Fills a name up to a word: any byte may stand there. */
const ANY = '\0';

function caseBitsOf(byte: number): number {
  if (byte === 0) return 0xff;
  return byte >= 0x61 && byte <= 0x7a ? 0x20 : 0;
}

const known = [
  new KnownField('host', HOST),
  new KnownField('content-type', CONTENT_TYPE),
  new KnownField('content-length', CONTENT_LENGTH),
  new KnownField('connection', CONNECTION),
  new KnownField('authorization', AUTHORIZATION),
  new KnownField('idempotency-key', IDEMPOTENCY_KEY),
  new KnownField('traceparent', TRACEPARENT),
  new KnownField('transfer-encoding', TRANSFER_ENCODING),
  new KnownField('te', HOP_BY_HOP),
  new KnownField('trailer', HOP_BY_HOP),
  new KnownField('x-request-id', REQUEST_ID),
  new KnownField('expect', EXPECT),
  new KnownField('keep-alive', HOP_BY_HOP),
  new KnownField('proxy-connection', HOP_BY_HOP),
  new KnownField('upgrade', HOP_BY_HOP),
];

const LETTER = 0x1f;
/** By the five bits in which letters differ from each other. */
const byFirstLetter = Array.from({ length: LETTER + 1 }, (_, letter) =>
  known.filter(({ name }) => (name[0] & LETTER) === letter),
);

/** The known field whose name, with its colon, stands at `start`; null when it is another, or cut off. */
export function knownFieldAt(words: DataView, start: number, end: number, first: number): KnownField | null {
  const candidates = byFirstLetter[first & LETTER];
  for (let i = 0; i < candidates.length; i++) {
    if (candidates[i].standsAt(words, start, end)) return candidates[i];
  }
  return null;
}

/** Which field bytes[start, end) names. They are of the TOKEN set. */
export function fieldKind(bytes: Uint8Array, start: number, end: number): number {
  return known.find(({ name }) => equalsIgnoreCase(bytes, start, end, name))?.kind ?? OTHER;
}
