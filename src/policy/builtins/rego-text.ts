import { parseNumber } from '../plan/numbers.ts';
import { sorted } from '../plan/order.ts';
import { RegoObject, RegoSet } from '../plan/values.ts';

/**
 * Reads a value as OPA's `opa_value_dump` writes it: JSON, but with sets (`{1, 2}`, `set()`), keys of any type,
 * and numbers of any size. Strings, booleans, null and arrays come out as JavaScript has them.
 */
export function parseRego(text: string): unknown {
  const reader = new Reader(text);
  const value = reader.value();
  reader.end();
  return value;
}

/** As OPA prints a value: members of sets and objects in Rego's order, which the module does not keep. */
export function writeRego(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(writeRego).join(', ')}]`;
  if (value instanceof RegoSet) {
    return value.size === 0 ? 'set()' : `{${sorted(value.elements()).map(writeRego).join(', ')}}`;
  }
  if (value instanceof RegoObject) {
    const members = sorted(value.keys()).map((key) => `${writeRego(key)}: ${writeRego(value.get(key))}`);
    return `{${members.join(', ')}}`;
  }
  return String(value);
}

/** The texts of an array's members. */
export function arrayItems(text: string): string[] {
  return new Reader(text).items();
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): unknown {
    const char = this.#text[this.#at];
    if (char === '"') return this.#string();
    if (char === '[') return this.#array();
    if (char === '{') return this.#objectOrSet();
    for (const [word, value] of WORDS) {
      if (this.#skip(word)) return value === EMPTY_SET ? new RegoSet() : value;
    }
    return this.#number();
  }

  items(): string[] {
    const items: string[] = [];
    this.#list('[', ']', () => {
      const start = this.#at;
      this.value();
      items.push(this.#text.slice(start, this.#at));
    });
    return items;
  }

  end(): void {
    if (this.#at !== this.#text.length) this.#fail();
  }

  #array(): unknown[] {
    const array: unknown[] = [];
    this.#list('[', ']', () => array.push(this.value()));
    return array;
  }

  /** `{}` is an object; the empty set is `set()`. */
  #objectOrSet(): RegoObject | RegoSet {
    const object = new RegoObject();
    const set = new RegoSet();
    this.#list('{', '}', () => {
      const first = this.value();
      if (this.#skip(': ')) object.set(first, this.value());
      else set.add(first);
    });
    return set.size > 0 ? set : object;
  }

  #list(open: string, close: string, member: () => void): void {
    if (!this.#skip(open)) this.#fail();
    if (this.#skip(close)) return;
    do member();
    while (this.#skip(', '));
    if (!this.#skip(close)) this.#fail();
  }

  #string(): string {
    const start = this.#at++;
    for (; this.#at < this.#text.length; this.#at++) {
      if (this.#text[this.#at] === '\\') this.#at++;
      else if (this.#text[this.#at] === '"') {
        return JSON.parse(this.#text.slice(start, ++this.#at)) as string;
      }
    }
    return this.#fail();
  }

  #number(): unknown {
    const start = this.#at;
    while (this.#at < this.#text.length && NUMBER.has(this.#text[this.#at] as string)) this.#at++;
    return parseNumber(this.#text.slice(start, this.#at)) ?? this.#fail();
  }

  #skip(expected: string): boolean {
    if (!this.#text.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  #fail(): never {
    throw new SyntaxError(`not a Rego value at ${this.#at}`);
  }
}

const NUMBER: ReadonlySet<string> = new Set('0123456789+-.eE');
const EMPTY_SET = Symbol('set()');
const WORDS = [
  ['true', true],
  ['false', false],
  ['null', null],
  ['set()', EMPTY_SET],
] as const;
