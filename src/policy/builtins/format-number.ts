/** One `%` of a format string. */
export interface Directive {
  /** Any of `-+# 0`. */
  readonly flags: string;
  readonly width: number | undefined;
  readonly precision: number | undefined;
  readonly verb: string;
}

/** A number as Go's fmt writes it with this verb, or null where the verb is not for numbers. */
export function numberText(directive: Directive, value: bigint | number): string | null {
  const digits = typeof value === 'bigint' ? integer(directive, value) : float(directive, value);
  if (digits === null) return null;
  const { text, negative } = digits;
  const { flags, width } = directive;
  const sign = negative
    ? '-'
    : flags.includes('+') && directive.verb !== 'v'
      ? '+'
      : flags.includes(' ')
        ? ' '
        : '';
  // Zeros go between the sign and the digits; a precision turns them off for integers.
  const zeros =
    flags.includes('0') && !flags.includes('-') && !(digits.integer && directive.precision !== undefined);
  if (!zeros) return pad(sign + text, { flags: flags.replaceAll('0', ''), width });
  return sign + text.padStart((width ?? 0) - sign.length, '0');
}

interface Digits {
  readonly text: string;
  readonly negative: boolean;
  readonly integer: boolean;
}

const BASES: Record<string, { radix: number; prefix: string }> = {
  b: { radix: 2, prefix: '0b' },
  o: { radix: 8, prefix: '0' },
  O: { radix: 8, prefix: '0o' },
  d: { radix: 10, prefix: '' },
  v: { radix: 10, prefix: '' },
  x: { radix: 16, prefix: '0x' },
  X: { radix: 16, prefix: '0X' },
};

function integer({ flags, precision, verb }: Directive, value: bigint): Digits | null {
  if (verb === 'c') return { text: character(value), negative: false, integer: false };
  if (verb === 'U')
    return {
      text: `U+${value.toString(16).toUpperCase().padStart(4, '0')}`,
      negative: false,
      integer: false,
    };
  const base = BASES[verb];
  if (base === undefined) return null;
  const negative = value < 0n;
  let text = (negative ? -value : value).toString(base.radix);
  if (verb === 'X') text = text.toUpperCase();
  if (precision !== undefined) text = precision === 0 && value === 0n ? '' : text.padStart(precision, '0');
  if (flags.includes('#') || verb === 'O') text = base.prefix + text;
  return { text, negative, integer: true };
}

function character(value: bigint): string {
  const code = value >= 0n && value <= 0x10ffffn ? Number(value) : 0xfffd;
  return String.fromCodePoint(code >= 0xd800 && code <= 0xdfff ? 0xfffd : code);
}

function float({ precision, verb }: Directive, value: number): Digits | null {
  const negative = value < 0 || Object.is(value, -0);
  const size = Math.abs(value);
  let text: string;
  switch (verb) {
    case 'e':
    case 'E':
      text = exponent(scientific(size, Math.min(precision ?? 6, 100)));
      break;
    case 'f':
    case 'F':
      text = fixed(size, precision ?? 6);
      break;
    case 'v':
    case 'g':
    case 'G':
      text = general(size, precision);
      break;
    default:
      return null;
  }
  return { text: verb === 'E' || verb === 'G' ? text.toUpperCase() : text, negative, integer: false };
}

/** Number.prototype.toFixed stops at 100 digits and writes 1e21 and above with an exponent. */
function fixed(size: number, precision: number): string {
  const digits = Math.min(precision, 100);
  const text =
    size >= 1e21
      ? `${BigInt(size)}${digits > 0 ? `.${'0'.repeat(digits)}` : ''}`
      : halfEven(size.toFixed(digits), size.toFixed(100));
  return precision > digits ? text + '0'.repeat(precision - digits) : text;
}

/** The shortest text, or the one of this precision; with an exponent below -4, and from 6 or the precision on. */
function general(size: number, precision: number | undefined): string {
  const digitsWanted = precision === undefined ? undefined : Math.min(Math.max(precision, 1), 101);
  const text = digitsWanted === undefined ? size.toExponential() : scientific(size, digitsWanted - 1);
  const [mantissa, power] = text.split('e') as [string, string];
  const shortest = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
  const at = Number(power);
  if (at < -4 || at >= (digitsWanted ?? 6)) return exponent(`${shortest}e${power}`);
  const digits = shortest.replace('.', '');
  if (at < 0) return `0.${'0'.repeat(-at - 1)}${digits}`;
  const whole = digits.padEnd(at + 1, '0');
  const rest = whole.slice(at + 1);
  return whole.slice(0, at + 1) + (rest === '' ? '' : `.${rest}`);
}

function scientific(size: number, digits: number): string {
  return halfEven(size.toExponential(digits), size.toExponential(100));
}

/** JavaScript rounds a tie away from zero, Go to the even digit. `exact` has all digits of the number. */
function halfEven(rounded: string, exact: string): string {
  const kept = rounded.replace(/e.*$/, '').length;
  const cut = exact.slice(0, kept);
  const tail = exact.slice(kept).replace(/e.*$/, '');
  const tie = /^\.?50*$/.test(tail);
  return tie && /[02468]\.?$/.test(cut) ? cut + rounded.slice(kept) : rounded;
}

/** Go writes at least two digits of exponent. */
function exponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

/** Fills up to the width, by code points. */
export function pad(text: string, { flags, width }: Pick<Directive, 'flags' | 'width'>): string {
  const missing = (width ?? 0) - Array.from(text).length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  return (flags.includes('0') ? '0' : ' ').repeat(missing) + text;
}
