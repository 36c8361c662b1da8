import { EmptyReplaceError } from '../../types.ts';
import { fallback } from '../fallback.ts';
import { isNumber } from '../numbers.ts';
import { sorted } from '../order.ts';
import { isObject, keysOfObject, lookup, RegoSet } from '../values.ts';
import { integer, whole } from './arithmetic.ts';

/** Text. Rego counts in Unicode code points, JavaScript in UTF-16 units: they differ only where there are surrogates. */
const isText = (value: unknown): value is string => typeof value === 'string';
const hasSurrogates = (text: string): boolean => /[\ud800-\udfff]/.test(text);
const isAscii = (text: string): boolean => !/[^\0-\x7f]/.test(text);

/** A builtin of texts only: undefined for anything else. */
function ofTexts<R>(operation: (...texts: string[]) => R) {
  return (...args: unknown[]): R | undefined => (args.every(isText) ? operation(...args) : undefined);
}

function startsWith(text: unknown, prefix: unknown): boolean | undefined {
  return isText(text) && isText(prefix) ? text.startsWith(prefix) : undefined;
}

function endsWith(text: unknown, suffix: unknown): boolean | undefined {
  return isText(text) && isText(suffix) ? text.endsWith(suffix) : undefined;
}

function contains(text: unknown, part: unknown): boolean | undefined {
  return isText(text) && isText(part) ? text.includes(part) : undefined;
}

function concat(delimiter: unknown, collection: unknown): string | undefined {
  const parts = collection instanceof RegoSet ? sorted(collection.elements()) : collection;
  if (!isText(delimiter) || !Array.isArray(parts)) return undefined;
  let text = '';
  for (let i = 0; i < parts.length; i++) {
    const part: unknown = parts[i];
    if (!isText(part)) return undefined;
    text += i === 0 ? part : delimiter + part;
  }
  return text;
}

/** strings.any_prefix_match and any_suffix_match: a text or some of them, against an affix or some of them. */
function anyMatch(matches: (text: string, affix: string) => boolean) {
  return (texts: unknown, affixes: unknown): boolean | undefined => {
    const [all, ends] = [textsOf(texts), textsOf(affixes)];
    return all && ends && all.some((text) => ends.some((affix) => matches(text, affix)));
  };
}

function textsOf(value: unknown): string[] | undefined {
  const texts = isText(value) ? [value] : value instanceof RegoSet ? value.elements() : value;
  return Array.isArray(texts) && texts.every(isText) ? texts : undefined;
}

function indexOf(text: string, part: string): number | undefined {
  if (part === '') return undefined;
  const at = text.indexOf(part);
  return at > 0 && hasSurrogates(text) ? Array.from(text.slice(0, at)).length : at;
}

function substring(text: unknown, offset: unknown, length: unknown): string | undefined {
  const [start, count] = [integer(offset), integer(length)];
  if (!isText(text) || start === undefined || count === undefined || start < 0) return undefined;
  const end = count < 0 ? undefined : start + count;
  return hasSurrogates(text) ? Array.from(text).slice(start, end).join('') : text.slice(start, end);
}

function split(text: string, delimiter: string): string[] {
  return delimiter === '' ? Array.from(text) : text.split(delimiter);
}

function replace(text: string, old: string, replacement: string): string {
  return replaceMany(text, [[old, replacement]]);
}

/** strings.replace_n: at every place the first of the keys, in Rego's order, that matches. */
function replaceAll(patterns: unknown, text: unknown): string | undefined {
  if (!isObject(patterns) || !isText(text)) return undefined;
  const pairs = sorted(keysOfObject(patterns)).map((key) => [key, lookup(patterns, key)] as const);
  if (!pairs.every((pair): pair is [string, string] => pair.every(isText))) return undefined;
  return replaceMany(text, pairs);
}

function replaceMany(text: string, pairs: readonly (readonly [string, string])[]): string {
  const matchesNothing = pairs.some(([old]) => old === '');
  let result = '';
  let afterEmptyMatch = false;
  for (let at = 0; at <= text.length;) {
    const match = pairs.find(([old]) => (old !== '' || !afterEmptyMatch) && text.startsWith(old, at));
    afterEmptyMatch = match?.[0] === '';
    if (match === undefined) {
      const letter = text[at] ?? '';
      // Go matches the empty text between bytes, which would cut this letter to pieces.
      if (matchesNothing && letter > '\x7f') {
        throw new EmptyReplaceError('would cut a letter to pieces');
      }
      result += letter;
      at++;
    } else {
      result += match[1];
      at += match[0].length;
    }
  }
  return result;
}

function trimLeft(text: string, letters: string): string {
  const cut = new Set(letters);
  const kept = Array.from(text);
  const start = kept.findIndex((letter) => !cut.has(letter));
  return start < 0 ? '' : kept.slice(start).join('');
}

function trimRight(text: string, letters: string): string {
  const cut = new Set(letters);
  const kept = Array.from(text);
  return kept.slice(0, kept.findLastIndex((letter) => !cut.has(letter)) + 1).join('');
}

/** White space as Go's unicode.IsSpace has it. */
const space = '[\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+';
const outerSpace = new RegExp(`^${space}|${space}$`, 'g');

/**
 * Letter by letter, as Go does it: a letter that JavaScript would turn into several, or one beyond the alphabets that
 * are settled, is left to WebAssembly.
 */
function inCase(change: (text: string) => string) {
  return (text: string): string => {
    if (isAscii(text)) return change(text);
    return Array.from(text, (letter) => {
      const changed = change(letter);
      if (letter > '\u052f' || changed.length !== 1 || changed > '\u2fff') fallback();
      return changed;
    }).join('');
  };
}

function formatInteger(number: unknown, base: unknown): string | undefined {
  if (!isNumber(number) || !(base === 2 || base === 8 || base === 10 || base === 16)) return undefined;
  const truncated = typeof number === 'number' ? Math.trunc(number) : number;
  // OPA writes -0.5 as "0" or "-0", depending on the form.
  if (truncated === 0 && number !== 0) fallback();
  return whole(truncated).toString(base);
}

export const strings = {
  startswith: startsWith,
  endswith: endsWith,
  contains,
  concat,
  indexof: ofTexts((text, part) => indexOf(text as string, part as string)),
  substring,
  split: ofTexts((text, delimiter) => split(text as string, delimiter as string)),
  replace: ofTexts((text, old, replacement) => replace(text as string, old as string, replacement as string)),
  'strings.replace_n': replaceAll,
  'strings.reverse': ofTexts((text) =>
    Array.from(text as string)
      .toReversed()
      .join(''),
  ),
  'strings.any_prefix_match': anyMatch((text, prefix) => text.startsWith(prefix)),
  'strings.any_suffix_match': anyMatch((text, suffix) => text.endsWith(suffix)),
  lower: ofTexts((text) => inCase((letters) => letters.toLowerCase())(text as string)),
  upper: ofTexts((text) => inCase((letters) => letters.toUpperCase())(text as string)),
  trim: ofTexts((text, letters) => trimRight(trimLeft(text as string, letters as string), letters as string)),
  trim_left: ofTexts((text, letters) => trimLeft(text as string, letters as string)),
  trim_right: ofTexts((text, letters) => trimRight(text as string, letters as string)),
  trim_prefix: ofTexts((text, prefix) =>
    text!.startsWith(prefix as string) ? text!.slice(prefix!.length) : text,
  ),
  trim_suffix: ofTexts((text, suffix) =>
    text!.endsWith(suffix as string) ? text!.slice(0, text!.length - suffix!.length) : text,
  ),
  trim_space: ofTexts((text) => text!.replace(outerSpace, '')),
  format_int: formatInteger,
};
