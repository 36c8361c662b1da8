import { numberText, pad, type Directive } from './format-number.ts';

/** An argument of sprintf as Rego hands it to Go: strings as they are, other values as their Rego text. */
export type FormatArgument =
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string };

/** `%[1]*.2f` and the like: flags, index, width, precision, index, verb. */
const DIRECTIVE = /%([-+# 0]*)(?:\[(\d+)\])?(\*|\d+)?(?:(\.)(?:\[(\d+)\])?(\*|\d*))?(?:\[(\d+)\])?(.)?/gsu;

/** Go refuses wider. */
const MAX_WIDTH = 1_000_000;

/** Rego's sprintf, which is Go's fmt.Sprintf (https://pkg.go.dev/fmt), the ways it reports misuse included. */
export function sprintf(format: string, args: readonly FormatArgument[]): string {
  const cursor = new ArgumentCursor(args);
  const text = format.replace(
    DIRECTIVE,
    (_all, flags: string, first, width, dot, second, precision, third, verb: string | undefined) => {
      cursor.lost = false;
      cursor.jump(first);
      let complaints = '';
      let wide = width === '*' ? cursor.takeInteger() : integerOf(width);
      if (width !== undefined && wide === undefined) complaints += '%!(BADWIDTH)';
      if (wide !== undefined && wide < 0) {
        flags += '-';
        wide = -wide;
      }
      cursor.jump(second);
      let exact = precision === '*' ? cursor.takeInteger() : integerOf(dot && (precision || '0'));
      if (exact !== undefined && exact < 0) exact = undefined;
      if (dot !== undefined && exact === undefined) complaints += '%!(BADPREC)';
      cursor.jump(third);
      if (verb === undefined) return `${complaints}%!(NOVERB)`;
      if (verb === '%') return `${complaints}%`;
      if (cursor.lost) return `${complaints}%!${verb}(BADINDEX)`;
      const arg = cursor.take();
      if (arg === undefined) return `${complaints}%!${verb}(MISSING)`;
      return complaints + render({ flags, width: wide, precision: exact, verb }, arg);
    },
  );
  const extra = cursor.rest();
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.map((arg) => typed(arg, PLAIN)).join(', ')})`;
}

/** Which argument the next directive means. */
class ArgumentCursor {
  /** The directive's index named an argument that is not there. */
  lost = false;
  readonly #args: readonly FormatArgument[];
  #next = 0;
  #jumped = false;

  constructor(args: readonly FormatArgument[]) {
    this.#args = args;
  }

  /** To argument `index`, counted from 1; undefined stays. */
  jump(index: string | undefined): void {
    if (index === undefined) return;
    this.#jumped = true;
    this.lost = Number(index) < 1 || Number(index) > this.#args.length;
    if (!this.lost) this.#next = Number(index) - 1;
  }

  take(): FormatArgument | undefined {
    return this.#args[this.#next++];
  }

  takeInteger(): number | undefined {
    const arg = this.take();
    return arg?.kind === 'int' ? integerOf(String(arg.value)) : undefined;
  }

  /** Arguments that no directive asked for; not counted once an index was used. */
  rest(): readonly FormatArgument[] {
    return this.#jumped ? [] : this.#args.slice(this.#next);
  }
}

const PLAIN: Directive = { flags: '', width: undefined, precision: undefined, verb: 'v' };

function integerOf(text: string | undefined): number | undefined {
  return text === undefined || Math.abs(Number(text)) > MAX_WIDTH ? undefined : Number(text);
}

function render(directive: Directive, arg: FormatArgument): string {
  if (directive.verb === 'T') return renderText({ ...directive, verb: 's' }, typeName(arg)) as string;
  const text = arg.kind === 'string' ? renderText(directive, arg.value) : numberText(directive, arg.value);
  return text ?? `%!${directive.verb}(${typed(arg, directive).replace('*big', 'big')})`;
}

function renderText(directive: Directive, value: string): string | null {
  const { flags, precision, verb } = directive;
  const cut = precision === undefined ? value : Array.from(value).slice(0, precision).join('');
  switch (verb) {
    case 'v':
    case 's':
      return pad(verb === 'v' && flags.includes('#') ? quote(cut) : cut, directive);
    case 'q':
      return pad(quote(cut), directive);
    case 'x':
    case 'X': {
      const hex = Buffer.from(value).subarray(0, precision).toString('hex');
      const prefix = flags.includes('#') && hex !== '' ? '0x' : '';
      const whole = prefix + (flags.includes(' ') ? (hex.match(/../g) ?? []).join(` ${prefix}`) : hex);
      return pad(verb === 'X' ? whole.toUpperCase() : whole, directive);
    }
    default:
      return null;
  }
}

/** Go's strconv.Quote, for the characters that can tell it from JSON's. */
function quote(text: string): string {
  let quoted = '';
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    const short = SHORT_ESCAPES[char];
    if (short !== undefined) quoted += short;
    else if (code < 0x20 || code === 0x7f) quoted += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (/[\p{C}\p{Zl}\p{Zp}\p{Zs}]/u.test(char) && char !== ' ') {
      quoted += code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
    } else quoted += char;
  }
  return `"${quoted}"`;
}

const SHORT_ESCAPES: Record<string, string> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

/** How Go shows an argument that does not fit: `string=hi`. */
function typed(arg: FormatArgument, directive: Directive): string {
  const flags = directive.flags.replaceAll('#', '');
  return `${typeName(arg)}=${render({ ...directive, flags, verb: 'v' }, arg)}`;
}

function typeName(arg: FormatArgument): string {
  if (arg.kind === 'string') return 'string';
  if (arg.kind === 'float') return 'float64';
  return arg.value === BigInt.asIntN(64, arg.value) ? 'int64' : '*big.Int';
}
