import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

const STYLES: Record<string, Style> = { debug: 'gray', info: 'cyan', warn: 'yellow', error: 'red' };

/**
 * One JSON log line as a person likes to read it: `12:03:04.123 info  listening  address=0.0.0.0:8080`.
 * The stack of an error follows on lines of its own.
 */
export function formatLogLine(line: string, colours: boolean): string {
  const { time, level, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const paint = (style: Style, text: string) =>
    colours ? styleText(style, text, { validateStream: false }) : text;
  const label = String(level);
  const parts = [
    paint('gray', new Date(String(time)).toTimeString().slice(0, 8) + String(time).slice(19, 23)),
    paint(STYLES[label] ?? 'reset', label.padEnd(5)),
    printable(String(msg ?? '')),
    ...Object.entries(fields).map(([name, value]) => `${paint('gray', `${name}=`)}${fieldText(value)}`),
  ];
  return `${parts.join(' ')}\n${errorText(err)}`;
}

function fieldText(value: unknown): string {
  return typeof value === 'string' && /^[\w./:@+-]+$/.test(value) ? value : printable(JSON.stringify(value));
}

function errorText(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { stack, message } = error as { stack?: unknown; message?: unknown };
  return `  ${String(stack ?? message)
    .split('\n')
    .map(printable)
    .join('\n  ')}\n`;
}

/** Guests write messages: a control character (a terminal's escape) must not reach the terminal. */
function printable(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (character) => `\\u${(character.codePointAt(0) as number).toString(16).padStart(4, '0')}`,
  );
}
