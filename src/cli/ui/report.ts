/** What a command ends with: a result or an error, for people or (with --json) for programs. */
import { ConfigError, formatIssue } from '../../config/issues.ts';
import { MayflyError } from '../../model/errors.ts';
import { paintFor, printable, type Output, type Paint } from './terminal.ts';

export interface Terminal {
  readonly out: Output;
  readonly err: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** --json was given: stdout carries one JSON value and nothing else. */
  readonly json: boolean;
}

/** `value` as JSON, or what `text` makes of it. */
export function printResult<T>(terminal: Terminal, value: T, text: (value: T, paint: Paint) => string): void {
  const { out, env, json } = terminal;
  out.write(json ? `${JSON.stringify(value, null, 2)}\n` : text(value, paintFor(out, env)));
}

/** Prints what failed, where, and how to fix it; answers the exit code of the process. */
export function printError(terminal: Terminal, error: unknown): number {
  const { out, err, env, json } = terminal;
  if (json) out.write(`${JSON.stringify({ error: errorDocument(error) }, null, 2)}\n`);
  else err.write(errorText(error, paintFor(err, env), env));
  return error instanceof MayflyError ? error.exitCode : 1;
}

export function errorDocument(error: unknown): Record<string, unknown> {
  if (!(error instanceof MayflyError)) return { code: 'internal', message: messageOf(error) };
  const { code, what, where, fix } = error;
  if (error instanceof ConfigError) return { code, message: what, where, issues: error.issues };
  return { code, message: what, where, fix };
}

function errorText(error: unknown, paint: Paint, env: Terminal['env']): string {
  const mark = paint(['red', 'bold'], 'error');
  if (error instanceof ConfigError) {
    const issues = error.issues.map((issue) => `  ${printable(formatIssue(issue))}\n`).join('');
    return `${mark} ${printable(error.what)}\n${issues}`;
  }
  if (error instanceof MayflyError) {
    const place = error.where === undefined ? '' : paint('gray', ` (${printable(error.where)})`);
    const fix =
      error.fix === undefined
        ? ''
        : `  ${error.fix.replace(/^\n/, '').split('\n').map(printable).join('\n  ')}\n`;
    return `${mark} ${printable(error.what)}${place}\n${fix}`;
  }
  // A bug of ours: the stack is for those who ask for it.
  const stack = error instanceof Error && (env['MAYFLY_DEBUG'] ?? '') !== '' ? `${error.stack}\n` : '';
  const hint = stack === '' ? '  This is a bug in Mayfly. Set MAYFLY_DEBUG=1 to see where.\n' : stack;
  return `${mark} ${printable(messageOf(error))}\n${hint}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
