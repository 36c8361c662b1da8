/** The protocol of Redis and Valkey, as much as messages need: https://redis.io/docs/latest/develop/reference/protocol-spec/ (RESP3). */

export type Reply =
  | { readonly type: 'text'; readonly value: Buffer }
  | { readonly type: 'error'; readonly message: string }
  | { readonly type: 'list' | 'push'; readonly items: readonly Reply[] };

/** Longest reply that is taken: a message of a whole table of keys is far below it. */
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_DEPTH = 8;
const LONGEST_LINE = 65_536;

const CR = 13;
const crlf = Buffer.from('\r\n');

/** One command: an array of bulk strings. */
export function command(...words: readonly (string | Uint8Array)[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words) {
    const bytes = typeof word === 'string' ? Buffer.from(word) : word;
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, crlf);
  }
  return Buffer.concat(parts);
}

/** Bytes in, whole replies out, however they were cut. Throws when it is not the protocol; then the connection is of no more use. */
export class ReplyReader {
  #held: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Bytes that have to be there before it is worth looking again. */
  #wanted = 0;

  push(bytes: Buffer): Reply[] {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    const replies: Reply[] = [];
    let done = 0;
    while (done < this.#held.length && this.#held.length - done >= this.#wanted) {
      this.#at = done;
      this.#wanted = 0;
      const reply = this.#read(0);
      if (reply === null) break;
      replies.push(reply);
      done = this.#at;
    }
    this.#held = this.#held.subarray(done);
    if (this.#held.length > MOST_BYTES) throw new Error('a reply is too long');
    return replies;
  }

  /** null: the rest has not arrived. */
  #read(depth: number): Reply | null {
    if (depth > MOST_DEPTH) throw new Error('a reply is nested too deeply');
    const kind = this.#held[this.#at];
    const line = this.#line();
    if (line === null) return null;
    switch (String.fromCharCode(kind)) {
      case '+':
      case ':':
      case ',':
      case '#':
      case '(':
      case '_':
        return { type: 'text', value: Buffer.from(line) };
      case '-':
        return { type: 'error', message: line };
      case '$':
      case '=':
        return this.#bulk(count(line));
      case '!': {
        const bulk = this.#bulk(count(line));
        return bulk?.type === 'text' ? { type: 'error', message: bulk.value.toString() } : bulk;
      }
      case '*':
      case '~':
        return this.#list('list', count(line), depth);
      case '>':
        return this.#list('push', count(line), depth);
      case '%':
        return this.#list('list', count(line) * 2, depth);
      default:
        throw new Error('this is not the protocol of Redis and Valkey');
    }
  }

  #line(): string | null {
    const end = this.#held.indexOf(CR, this.#at + 1);
    if (end < 0 || end + 1 >= this.#held.length) {
      if (this.#held.length - this.#at > LONGEST_LINE) throw new Error('a line of a reply is too long');
      return null;
    }
    const line = this.#held.toString('latin1', this.#at + 1, end);
    this.#at = end + 2;
    return line;
  }

  #bulk(length: number): Reply | null {
    if (length < 0) return { type: 'text', value: Buffer.alloc(0) };
    const end = this.#at + length;
    if (end + 2 > this.#held.length) {
      this.#wanted = length;
      return null;
    }
    const value = this.#held.subarray(this.#at, end);
    this.#at = end + 2;
    return { type: 'text', value };
  }

  #list(type: 'list' | 'push', length: number, depth: number): Reply | null {
    const items: Reply[] = [];
    for (let index = 0; index < length; index++) {
      if (this.#at >= this.#held.length) return null;
      const item = this.#read(depth + 1);
      if (item === null) return null;
      items.push(item);
    }
    return { type, items };
  }
}

function count(line: string): number {
  const value = Number(line);
  if (!Number.isInteger(value) || value < -1 || value > MOST_BYTES)
    throw new Error('a reply has a length that cannot be');
  return value;
}
