/**
 * The part of RE2's syntax (https://github.com/google/re2/wiki/Syntax) whose meaning is the same in Go's regexp, in RE2
 * and here: literals, `.`, classes, groups, alternatives, repetitions, anchors. Everything else, flags and Unicode
 * classes above all, is not parsed; nor is what one of them would call an error.
 */
export type Range = readonly [from: number, to: number];

export type Pattern =
  | { readonly kind: 'letters'; readonly ranges: readonly Range[] }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly part: Pattern; readonly min: number; readonly max: number }
  | { readonly kind: 'start' | 'end' };

export const lastCodePoint = 0x10ffff;

export const literal = (text: string): Pattern => ({
  kind: 'sequence',
  parts: Array.from(text, (letter) => {
    const code = letter.codePointAt(0) as number;
    return { kind: 'letters', ranges: [[code, code]] };
  }),
});

export function except(ranges: readonly Range[]): Range[] {
  const kept: Range[] = [];
  let from = 0;
  for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
    if (first > from) kept.push([from, first - 1]);
    from = Math.max(from, last + 1);
  }
  if (from <= lastCodePoint) kept.push([from, lastCodePoint]);
  return kept;
}

const range = (from: string, to = from): Range => [from.charCodeAt(0), to.charCodeAt(0)];
const digits = [range('0', '9')];
const wordLetters = [range('0', '9'), range('A', 'Z'), range('_'), range('a', 'z')];
const spaces = [range('\t', '\n'), range('\f', '\r'), range(' ')];
const classes: { readonly [letter: string]: readonly Range[] } = {
  d: digits,
  D: except(digits),
  w: wordLetters,
  W: except(wordLetters),
  s: spaces,
  S: except(spaces),
};
const controls: { readonly [letter: string]: string } = {
  a: '\x07',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
/** RE2 refuses more. */
const maxRepeat = 1000;

class Unsupported extends Error {}

/** The pattern, or null where its meaning is not certain. */
export function parsePattern(text: string): Pattern | null {
  try {
    return new Parser(text).parse();
  } catch (error) {
    if (error instanceof Unsupported) return null;
    throw error;
  }
}

class Parser {
  readonly #letters: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#letters = Array.from(text);
  }

  parse(): Pattern {
    const pattern = this.#choice();
    if (this.#at < this.#letters.length) throw new Unsupported();
    return pattern;
  }

  #choice(): Pattern {
    const parts = [this.#sequence()];
    while (this.#take('|')) parts.push(this.#sequence());
    return parts.length === 1 ? (parts[0] as Pattern) : { kind: 'choice', parts };
  }

  #sequence(): Pattern {
    const parts: Pattern[] = [];
    while (this.#at < this.#letters.length && !this.#sees('|') && !this.#sees(')'))
      parts.push(this.#repeated());
    return { kind: 'sequence', parts };
  }

  #repeated(): Pattern {
    const part = this.#atom();
    const times = this.#times();
    if (times === null) return part;
    if (part.kind === 'start' || part.kind === 'end') throw new Unsupported();
    this.#take('?');
    if (this.#times() !== null) throw new Unsupported();
    return { kind: 'repeat', part, min: times[0], max: times[1] };
  }

  #times(): Range | null {
    if (this.#take('*')) return [0, Infinity];
    if (this.#take('+')) return [1, Infinity];
    if (this.#take('?')) return [0, 1];
    const braces = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(this.#letters.slice(this.#at, this.#at + 12).join(''));
    if (braces === null) return null;
    const min = Number(braces[1]);
    const max = braces[2] === undefined ? min : braces[3] === '' ? Infinity : Number(braces[3]);
    if (min > maxRepeat || (max > maxRepeat && max !== Infinity) || max < min) throw new Unsupported();
    this.#at += braces[0].length;
    return [min, max];
  }

  #atom(): Pattern {
    const letter = this.#next();
    switch (letter) {
      case '(':
        return this.#group();
      case '[':
        return { kind: 'letters', ranges: this.#class() };
      case '.':
        return { kind: 'letters', ranges: except([range('\n')]) };
      case '^':
        return { kind: 'start' };
      case '$':
        return { kind: 'end' };
      case '\\':
        if (this.#take('A')) return { kind: 'start' };
        if (this.#take('z')) return { kind: 'end' };
        return { kind: 'letters', ranges: this.#escape() };
      case '*':
      case '+':
      case '?':
      case '{':
        throw new Unsupported();
      default:
        return literal(letter);
    }
  }

  #group(): Pattern {
    if (this.#take('?') && !this.#take(':')) throw new Unsupported();
    const inner = this.#choice();
    if (!this.#take(')')) throw new Unsupported();
    return inner;
  }

  #class(): Range[] {
    const negated = this.#take('^');
    const ranges: Range[] = [];
    for (let first = true; first || !this.#sees(']'); first = false) {
      const from = this.#classItem(first);
      if (from.length > 1 || !this.#sees('-') || this.#letters[this.#at + 1] === ']') {
        ranges.push(...from);
        continue;
      }
      this.#at++;
      const to = this.#classItem(false);
      const [low, high] = [from[0]?.[0] as number, to[0]?.[1] as number];
      if (to.length > 1 || to[0]?.[0] !== high || from[0]?.[1] !== low || high < low) throw new Unsupported();
      ranges.push([low, high]);
    }
    this.#at++;
    return negated ? except(ranges) : ranges;
  }

  #classItem(first: boolean): readonly Range[] {
    const letter = this.#next();
    if (letter === '\\') return this.#escape();
    // Where a bare `[`, `]` or `-` stands, the dialects differ in what they allow.
    if (letter === '[' || (letter === ']' && first)) throw new Unsupported();
    if (letter === '-' && !first && !this.#sees(']')) throw new Unsupported();
    const code = letter.codePointAt(0) as number;
    return [[code, code]];
  }

  #escape(): readonly Range[] {
    const letter = this.#next();
    if (Object.hasOwn(classes, letter)) return classes[letter] as readonly Range[];
    if (Object.hasOwn(controls, letter)) return [range(controls[letter] as string)];
    if (!/^[!-/:-@[-`{-~]$/.test(letter)) throw new Unsupported();
    return [range(letter)];
  }

  #next(): string {
    const letter = this.#letters[this.#at++];
    if (letter === undefined) throw new Unsupported();
    return letter;
  }

  #sees(letter: string): boolean {
    return this.#letters[this.#at] === letter;
  }

  #take(letter: string): boolean {
    if (!this.#sees(letter)) return false;
    this.#at++;
    return true;
  }
}
