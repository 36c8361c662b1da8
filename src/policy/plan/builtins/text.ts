import { sprintf, type FormatArgument } from '../../builtins/sprintf.ts';
import { fallback } from '../fallback.ts';
import { BigDecimal, isNumber, parseNumber } from '../numbers.ts';
import { sorted } from '../order.ts';
import { keysOfObject, lookup, RegoSet, type RegoObject } from '../values.ts';

/** Values as text, and back: sprintf, `$"template strings"`, to_number. */

/** Texts that Go quotes as JSON does. */
// oxlint-disable-next-line no-control-regex
const quotable = /^[^\0-\x1f"\\\x7f-\u{10ffff}]*$/u;

/** A value as Rego source: `{"a": [1, 2]}`, `{1, 2}`, `set()`. */
function source(value: unknown): string {
  if (typeof value === 'string') return quotable.test(value) ? `"${value}"` : fallback();
  if (value instanceof BigDecimal) return fallback();
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(source).join(', ')}]`;
  if (value instanceof RegoSet) {
    return value.size === 0 ? 'set()' : `{${sorted(value.elements()).map(source).join(', ')}}`;
  }
  const object = value as RegoObject;
  const members = sorted(keysOfObject(object)).map((key) => `${source(key)}: ${source(lookup(object, key))}`);
  return `{${members.join(', ')}}`;
}

function formatArgument(value: unknown): FormatArgument {
  if (typeof value === 'string') return { kind: 'string', value };
  if (value instanceof BigDecimal) return fallback();
  if (typeof value !== 'number') return { kind: 'string', value: source(value) };
  if (Number.isSafeInteger(value)) return { kind: 'int', value: BigInt(value) };
  return Number.isInteger(value) ? fallback() : { kind: 'float', value };
}

function format(pattern: unknown, values: unknown): string | undefined {
  if (typeof pattern !== 'string' || !Array.isArray(values)) return undefined;
  return sprintf(pattern, values.map(formatArgument));
}

/** The parts of a template: texts, or the set of values that an expression in braces has. */
function template(parts: unknown): string | undefined {
  if (!Array.isArray(parts)) return undefined;
  return parts.map(templatePart).join('');
}

function templatePart(part: unknown): string {
  if (!(part instanceof RegoSet)) return typeof part === 'string' ? part : source(part);
  if (part.size > 1) fallback();
  const [value] = part.elements();
  if (value === undefined) return '<undefined>';
  return typeof value === 'string' ? value : source(value);
}

function toNumber(value: unknown): unknown {
  if (isNumber(value)) return value;
  if (value === null || typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value !== 'string') return undefined;
  const number = /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/.test(value) ? parseNumber(value) : undefined;
  // The text is kept by OPA: "1.0" is written as 1.0 again.
  if (typeof number === 'number' && String(number) === value) return number;
  // Go reads more than JSON's numbers: hexadecimal floats, "Inf", "+1", ".5".
  return /^[-+.\d]|inf|nan/i.test(value) ? fallback() : undefined;
}

export const text = { sprintf: format, 'internal.template_string': template, to_number: toNumber };
