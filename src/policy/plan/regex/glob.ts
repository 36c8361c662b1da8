import { except, lastCodePoint, literal, type Pattern, type Range } from './syntax.ts';

/**
 * Globs as OPA has them (https://github.com/gobwas/glob): `*` is any text without separators, `**` any text, `?` one
 * letter that is no separator, `\` takes the meaning from the next letter. Classes and alternatives are not parsed.
 */
export function globPattern(text: string, separators: string): Pattern | null {
  const parts: Pattern[] = [{ kind: 'start' }];
  const letters = Array.from(text);
  for (let i = 0; i < letters.length; i++) {
    const letter = letters[i] as string;
    if ('[]{}'.includes(letter)) return null;
    if (letter === '?') {
      parts.push(oneOf(separators));
    } else if (letter === '*') {
      const stars = letters.slice(i).findIndex((other) => other !== '*');
      const length = stars < 0 ? letters.length - i : stars;
      parts.push(any(length > 1 ? '' : separators));
      i += length - 1;
    } else if (letter === '\\') {
      const escaped = letters[++i];
      if (escaped === undefined) return null;
      parts.push(literal(escaped));
    } else {
      parts.push(literal(letter));
    }
  }
  return { kind: 'sequence', parts: [...parts, { kind: 'end' }] };
}

function oneOf(separators: string): Pattern {
  const excluded = Array.from(separators, (letter): Range => [
    letter.codePointAt(0)!,
    letter.codePointAt(0)!,
  ]);
  return { kind: 'letters', ranges: excluded.length === 0 ? [[0, lastCodePoint]] : except(excluded) };
}

function any(separators: string): Pattern {
  return { kind: 'repeat', part: oneOf(separators), min: 0, max: Infinity };
}
