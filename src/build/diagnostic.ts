import { join } from 'node:path';

/** Something that the compiler said. Line and column count from 1. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** Absolute for the author's files, `~lib/…` for the SDK and the standard library; null when it has no place. */
  readonly file: string | null;
  readonly line: number;
  readonly column: number;
  /** The line it is about. */
  readonly text: string;
}

/** What is used of the compiler's own message (its types describe the same thing twice, differently). */
interface CompilerMessage {
  readonly category: number;
  readonly message: string;
  readonly range: {
    readonly start: number;
    readonly source: {
      readonly normalizedPath: string;
      readonly text: string;
      lineAt(position: number): number;
      /** Of the position last asked of `lineAt`. */
      columnAt(): number;
    };
  } | null;
}

const ERROR_CATEGORY = 3;

export function diagnosticOf(message: CompilerMessage, folder: string): Diagnostic {
  const severity = message.category === ERROR_CATEGORY ? 'error' : 'warning';
  const range = message.range;
  if (range === null) {
    return { severity, message: message.message, file: null, line: 0, column: 0, text: '' };
  }
  const source = range.source;
  const path = source.normalizedPath;
  const line = source.lineAt(range.start);
  return {
    severity,
    message: message.message,
    file: path.startsWith('~lib/') ? path : join(folder, path),
    line,
    column: source.columnAt(),
    text: source.text.split('\n')[line - 1] ?? '',
  };
}

/** `function.ts:3:10` and, below each other, message, line and a mark under the place. */
export function formatDiagnostic({ file, line, column, message, text }: Diagnostic): string {
  if (file === null) return message;
  const number = String(line);
  return `${file}:${line}:${column}: ${message}\n  ${number} | ${text}\n  ${' '.repeat(number.length)} | ${' '.repeat(column - 1)}^`;
}
