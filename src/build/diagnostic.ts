import { join } from 'node:path';

/** Something that the compiler said. Line and column count from 1. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly place: Place | null;
}

export interface Place {
  /** Absolute for the author's files; `~lib/…` for the SDK and the standard library. */
  readonly file: string;
  /** 0 when the text is not ours to see (the standard library). */
  readonly line: number;
  readonly column: number;
  /** The line it is about. */
  readonly text: string;
}

/** What is used of the compiler's own message. */
interface CompilerMessage {
  readonly category: number;
  readonly message: string;
  readonly range: Range | null;
}

interface Range {
  readonly start: number;
  readonly source: { readonly normalizedPath: string };
}

const ERROR_CATEGORY = 3;

/** `texts` has what the compiler read, by absolute path. */
export function diagnosticOf(
  message: CompilerMessage,
  folder: string,
  texts: ReadonlyMap<string, string>,
): Diagnostic {
  const severity = message.category === ERROR_CATEGORY ? 'error' : 'warning';
  const place = message.range === null ? null : placeOf(message.range, folder, texts);
  return { severity, message: inWordsOfTheAuthor(message.message), place };
}

/** `ERROR("…")` of a library arrives as this. */
const USER_DEFINED = /^User-defined: "(.*)"$/s;

/** The compiler's inner names, `~lib/string/String`, as the author knows them. */
function inWordsOfTheAuthor(message: string): string {
  const missing = /^File '~lib\/(.+)\.ts' not found\.$/.exec(message);
  if (missing !== null) return `There is no AssemblyScript package '${missing[1]}'.`;
  return message.replace(USER_DEFINED, '$1').replace(/~lib\/(?:[\w-]+\/)*(\w+)/g, '$1');
}

function placeOf(range: Range, folder: string, texts: ReadonlyMap<string, string>): Place {
  const path = range.source.normalizedPath;
  const file = path.startsWith('~lib/') ? path : join(folder, path);
  const text = texts.get(file);
  if (text === undefined) return { file, line: 0, column: 0, text: '' };
  const before = text.slice(0, range.start).split('\n');
  const line = before.length;
  const column = (before.at(-1) as string).length + 1;
  return { file, line, column, text: text.split('\n')[line - 1] as string };
}

/** `function.ts:3:10: message`, then the line and a mark under the place. */
export function formatDiagnostic({ message, place }: Diagnostic): string {
  return place === null ? message : `${formatPlace(place)}: ${message}${excerpt(place)}`;
}

export function formatPlace({ file, line, column }: Place): string {
  return line === 0 ? file : `${file}:${line}:${column}`;
}

/** The line and, below it, a mark under the place; each on a line of its own. */
export function excerpt({ line, column, text }: Place): string {
  if (line === 0) return '';
  const margin = ' '.repeat(String(line).length);
  // Tabs stay tabs, so that the mark stands under the place.
  const indent = text.slice(0, column - 1).replace(/[^\t]/g, ' ');
  return `\n  ${line} | ${text}\n  ${margin} | ${indent}^`;
}
