import { styleText } from 'node:util';

export type Style = Parameters<typeof styleText>[0];

/** What the CLI writes to; tests give one that remembers. */
export interface Output {
  write(text: string | Uint8Array): unknown;
  readonly isTTY?: boolean | undefined;
}

/** Colours only on a terminal (https://no-color.org; FORCE_COLOR for those who pipe into `less -R`). */
export function usesColour(output: Output, env: Readonly<Record<string, string | undefined>>): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  if ((env['FORCE_COLOR'] ?? '') !== '') return env['FORCE_COLOR'] !== '0';
  return output.isTTY === true && env['TERM'] !== 'dumb';
}

export type Paint = (style: Style, text: string) => string;

export function paintFor(output: Output, env: Readonly<Record<string, string | undefined>>): Paint {
  return usesColour(output, env)
    ? (style, text) => styleText(style, text, { validateStream: false })
    : (_style, text) => text;
}

/** Text that came from elsewhere, made safe to print: control characters (terminal escapes) become visible. */
export function printable(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (character) => `\\u${(character.codePointAt(0) as number).toString(16).padStart(4, '0')}`,
  );
}
