/**
 * Mayfly's own log: one JSON object a line for machines, or a line for people. Secrets do not get through, neither in
 * fields that are named like one nor as a token somewhere in a text.
 */
import { mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { pino, type Logger } from 'pino';
import { MayflyError } from '../model/errors.ts';
import { formatLogLine } from './log-text.ts';

export type { Logger };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  /** `stdout`, `stderr`, or the absolute path of a file. */
  readonly output: string;
}

export interface Log {
  readonly logger: Logger;
  /**
   * Opens the file again after something moved it away (SIGHUP, log rotation). Nothing for stdout and stderr.
   * Throws MayflyError when that fails, and goes on writing to the old one.
   */
  reopen(): void;
  /** Writes what a full pipe has held back. For the end of the process. */
  flush(): void;
}

const SECRET_FIELDS = [
  'authorization',
  'Authorization',
  'cookie',
  'Cookie',
  'jwt_secret',
  'password',
  'secret',
  'token',
];
const REDACTED = '[redacted]';
/** A JSON Web Token: three base64url parts, the first of which begins with `{"`. */
const TOKEN = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g;

/** Throws MayflyError when the file cannot be written. */
export function createLog({ level, format, output }: LogOptions): Log {
  const colours = format === 'text' && isTerminal(output);
  let sink = openSink(output);
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
        censor: REDACTED,
      },
      hooks: {
        streamWrite(line) {
          const safe = line.includes('eyJ') ? line.replaceAll(TOKEN, REDACTED) : line;
          return format === 'json' ? safe : formatLogLine(safe, colours);
        },
      },
    },
    { write: (line: string) => sink.write(line) },
  );
  return {
    logger,
    reopen() {
      if (isStandard(output)) return;
      const old = sink;
      sink = openSink(output);
      old.end();
    },
    flush: () => sink.flushSync(),
  };
}

/** Opened at once and written to line by line: errors come at start, lines stay in order, and a crash loses none. */
function openSink(output: string) {
  return pino.destination({ dest: descriptorOf(output), sync: true });
}

function descriptorOf(output: string): number {
  if (isStandard(output)) return output === 'stdout' ? 1 : 2;
  try {
    mkdirSync(dirname(output), { recursive: true });
    return openSync(output, 'a');
  } catch (cause) {
    throw new MayflyError('Cannot write the log', {
      where: output,
      fix: `${(cause as Error).message}. Choose another logging.output.`,
      exitCode: 2,
      code: 'log-unwritable',
      cause,
    });
  }
}

function isStandard(output: string): output is 'stdout' | 'stderr' {
  return output === 'stdout' || output === 'stderr';
}

function isTerminal(output: string): boolean {
  return isStandard(output) && process[output].isTTY === true;
}
