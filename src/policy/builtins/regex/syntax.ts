/**
 * RE2's syntax (https://github.com/google/re2/wiki/Syntax), which is Rego's, read into a tree.
 * Two kinds of error: the pattern is wrong (Rego: undefined), or it is right and not covered here.
 */
export class PatternError extends Error {}
export class UnsupportedPattern extends Error {}

export type Tree =
  | { readonly type: 'empty' }
  | { readonly type: 'one'; readonly accepts: (codePoint: number) => boolean }
  | { readonly type: 'assert'; readonly holds: Assertion }
  | { readonly type: 'sequence' | 'choice'; readonly parts: readonly Tree[] }
  | {
      readonly type: 'repeat';
      readonly what: Tree;
      readonly least: number;
      readonly most: number;
      readonly greedy: boolean;
    };

/** Looks at the code points before and after a position; -1 at the ends of the text. */
export type Assertion = (before: number, after: number) => boolean;

interface Flags {
  readonly ignoreCase: boolean;
  readonly multiLine: boolean;
  readonly dotAll: boolean;
  readonly swapGreed: boolean;
}

type Test = (codePoint: number) => boolean;

/** RE2's own limit. */
const MAX_REPEAT = 1000;
const MAX_DEPTH = 500;

export function parsePattern(pattern: string): Tree {
  return new Parser(pattern).parse();
}

class Parser {
  readonly #chars: readonly string[];
  #at = 0;
  #depth = 0;
  #flags: Flags = { ignoreCase: false, multiLine: false, dotAll: false, swapGreed: false };

  constructor(pattern: string) {
    this.#chars = Array.from(pattern);
  }

  parse(): Tree {
    const tree = this.#choice();
    if (this.#at < this.#chars.length) throw new PatternError('unexpected )');
    return tree;
  }

  #choice(): Tree {
    if (++this.#depth > MAX_DEPTH) throw new UnsupportedPattern('nested too deep');
    const parts = [this.#sequence()];
    while (this.#take('|')) parts.push(this.#sequence());
    this.#depth--;
    return parts.length === 1 ? (parts[0] as Tree) : { type: 'choice', parts };
  }

  #sequence(): Tree {
    const parts: Tree[] = [];
    while (this.#at < this.#chars.length && !'|)'.includes(this.#peek())) parts.push(this.#repeated());
    return parts.length === 1 ? (parts[0] as Tree) : { type: 'sequence', parts };
  }

  #repeated(): Tree {
    if (this.#bounds() !== null) throw new PatternError('nothing to repeat');
    let tree = this.#atom();
    for (let operators = 0; ; operators++) {
      const bounds = this.#bounds();
      if (bounds === null) return tree;
      if (operators > 0) throw new PatternError('repetition of a repetition');
      if (tree.type === 'empty') throw new UnsupportedPattern('repetition behind flags');
      const greedy = this.#take('?') === this.#flags.swapGreed;
      tree = { type: 'repeat', what: tree, least: bounds[0], most: bounds[1], greedy };
    }
  }

  /** `*`, `+`, `?`, `{2}`, `{2,}`, `{2,5}`; any other brace is a character. */
  #bounds(): readonly [number, number] | null {
    if (this.#take('*')) return [0, Infinity];
    if (this.#take('+')) return [1, Infinity];
    if (this.#take('?')) return [0, 1];
    const braces = /^\{(\d+)(,(\d*))?\}/.exec(this.#chars.slice(this.#at, this.#at + 24).join(''));
    if (braces === null) return null;
    this.#at += braces[0].length;
    const least = Number(braces[1]);
    const most = braces[2] === undefined ? least : braces[3] === '' ? Infinity : Number(braces[3]);
    const finite = most === Infinity ? least : most;
    if (least > MAX_REPEAT || finite > MAX_REPEAT || most < least)
      throw new PatternError('invalid repeat count');
    return [least, most];
  }

  #atom(): Tree {
    const char = this.#next();
    const { multiLine, dotAll } = this.#flags;
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return this.#one(this.#set());
      case '.':
        return this.#one((c) => dotAll || c !== NEWLINE);
      case '^':
        return multiLine ? assertion((before) => before === -1 || before === NEWLINE) : assertion(atStart);
      case '$':
        return multiLine
          ? assertion((_before, after) => after === -1 || after === NEWLINE)
          : assertion(atEnd);
      case '\\':
        return this.#escape();
      default:
        return this.#one(this.#range(char, char));
    }
  }

  #group(): Tree {
    const outer = this.#flags;
    if (this.#take('?')) {
      const name = /^(P?<\w+>)/.exec(this.#chars.slice(this.#at, this.#at + 200).join(''));
      if (name !== null) this.#at += name[0].length;
      else if (this.#setFlags() === ')') return { type: 'empty' };
    }
    const tree = this.#choice();
    if (!this.#take(')')) throw new PatternError('missing )');
    this.#flags = outer;
    return tree;
  }

  /** `i`, `m`, `s`, `U`, and a minus before those that are switched off; returns what ended them. */
  #setFlags(): ':' | ')' {
    let value = true;
    for (;;) {
      const char = this.#next();
      if (char === ':' || char === ')') return char;
      if (char === '-') value = false;
      else if (char === 'i') this.#flags = { ...this.#flags, ignoreCase: value };
      else if (char === 'm') this.#flags = { ...this.#flags, multiLine: value };
      else if (char === 's') this.#flags = { ...this.#flags, dotAll: value };
      else if (char === 'U') this.#flags = { ...this.#flags, swapGreed: value };
      else throw new PatternError(`invalid group (?${char}`);
    }
  }

  #escape(): Tree {
    const char = this.#peek();
    const simple = ASSERTIONS[char];
    if (simple !== undefined) {
      this.#at++;
      return assertion(simple);
    }
    return this.#one(this.#class() ?? this.#literal());
  }

  /** After a backslash: a class such as `\d` or `\pL`, or null where it is a character. */
  #class(): Test | null {
    const char = this.#peek();
    const ranges = CLASSES[char.toLowerCase()];
    if (ranges !== undefined) {
      this.#at++;
      const inside = within(ranges);
      return char === char.toLowerCase() ? inside : (c) => !inside(c);
    }
    if (char !== 'p' && char !== 'P') return null;
    this.#at++;
    let name = this.#next();
    if (name === '{') for (name = ''; !this.#take('}');) name += this.#next();
    const property = unicodeProperty(name.replace(/^\^/, ''));
    return (char === 'P') === name.startsWith('^') ? property : (c) => !property(c);
  }

  /** After a backslash: one character. */
  #literal(): Test {
    const code = this.#escapedCode();
    const char = String.fromCodePoint(code);
    return this.#range(char, char);
  }

  #escapedCode(): number {
    const char = this.#next();
    const control = CONTROLS[char];
    if (control !== undefined) return control;
    if (char === 'x') {
      const digits = /^(?:\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{2}))/.exec(
        this.#chars.slice(this.#at, this.#at + 8).join(''),
      );
      if (digits === null) throw new PatternError('invalid \\x');
      this.#at += digits[0].length;
      const code = parseInt((digits[1] ?? digits[2]) as string, 16);
      if (code > 0x10ffff) throw new PatternError('invalid \\x');
      return code;
    }
    if (/[0-9A-Za-z]/.test(char)) throw new UnsupportedPattern(`\\${char}`);
    return char.codePointAt(0) as number;
  }

  #set(): Test {
    const negated = this.#take('^');
    const tests: Test[] = [];
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      const posix = /^\[:(\^?)(\w+):\]/.exec(this.#chars.slice(this.#at, this.#at + 16).join(''));
      if (posix !== null) {
        const ranges = POSIX[posix[2] as string];
        if (ranges === undefined) throw new PatternError(`invalid class ${posix[0]}`);
        this.#at += posix[0].length;
        const inside = within(ranges);
        tests.push(posix[1] === '' ? inside : (c) => !inside(c));
        continue;
      }
      const char = this.#next();
      const known = char === '\\' ? this.#class() : null;
      if (known !== null) {
        tests.push(known);
        continue;
      }
      const low = char === '\\' ? String.fromCodePoint(this.#escapedCode()) : char;
      tests.push(this.#range(low, this.#upperEnd() ?? low));
    }
    this.#at++;
    return (c) => tests.some((test) => test(c)) !== negated;
  }

  /** The end of a range `a-z`; null where the dash is absent or the last of the set. */
  #upperEnd(): string | null {
    if (this.#peek() !== '-' || (this.#chars[this.#at + 1] ?? ']') === ']') return null;
    this.#at++;
    const char = this.#next();
    return char === '\\' ? String.fromCodePoint(this.#escapedCode()) : char;
  }

  #range(low: string, high: string): Test {
    const [from, to] = [low.codePointAt(0) as number, high.codePointAt(0) as number];
    if (to < from) throw new PatternError(`invalid range ${low}-${high}`);
    const inside: Test = (c) => c >= from && c <= to;
    if (!this.#flags.ignoreCase) return inside;
    return (c) => inside(c) || otherCases(c).some(inside);
  }

  #one(accepts: Test): Tree {
    return { type: 'one', accepts };
  }

  #peek(): string {
    return this.#chars[this.#at] ?? '';
  }

  #next(): string {
    const char = this.#chars[this.#at++];
    if (char === undefined) throw new PatternError('unexpected end');
    return char;
  }

  #take(char: string): boolean {
    if (this.#chars[this.#at] !== char) return false;
    this.#at++;
    return true;
  }
}

const NEWLINE = 10;
const atStart: Assertion = (before) => before === -1;
const atEnd: Assertion = (_before, after) => after === -1;
const boundary: Assertion = (before, after) => isWord(before) !== isWord(after);

const ASSERTIONS: Record<string, Assertion> = {
  A: atStart,
  z: atEnd,
  b: boundary,
  B: (before, after) => !boundary(before, after),
};

const CONTROLS: Record<string, number> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };

/** Pairs of first and last character. */
const CLASSES: Record<string, string> = { d: '09', w: '09AZaz__', s: '\t\n\f\r  ' };
const POSIX: Record<string, string> = {
  alnum: '09AZaz',
  alpha: 'AZaz',
  ascii: '\0\x7f',
  blank: '\t\t  ',
  cntrl: '\0\x1f\x7f\x7f',
  digit: '09',
  graph: '!~',
  lower: 'az',
  print: ' ~',
  punct: '!/:@[`{~',
  space: '\t\r  ',
  upper: 'AZ',
  word: '09AZaz__',
  xdigit: '09AFaf',
};

function within(pairs: string): Test {
  return (c) => {
    for (let i = 0; i < pairs.length; i += 2) {
      if (c >= pairs.charCodeAt(i) && c <= pairs.charCodeAt(i + 1)) return true;
    }
    return false;
  };
}

const isWord = within(CLASSES['w'] as string);

function unicodeProperty(name: string): Test {
  for (const property of [name, `Script=${name}`]) {
    try {
      const expression = new RegExp(`^\\p{${property}}$`, 'u');
      return (c) => expression.test(String.fromCodePoint(c));
    } catch {
      // not a category: perhaps a script
    }
  }
  throw new PatternError(`invalid class \\p{${name}}`);
}

function otherCases(codePoint: number): number[] {
  const char = String.fromCodePoint(codePoint);
  return [char.toLowerCase(), char.toUpperCase()].map((other) => other.codePointAt(0) as number);
}

function assertion(holds: Assertion): Tree {
  return { type: 'assert', holds };
}
