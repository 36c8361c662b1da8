/** How the process ends when an error reaches the command line: 1 the work failed, 2 the request or the configuration was wrong. */
export type ExitCode = 1 | 2;

export interface MayflyErrorInit {
  /** Where it happened: a file with line, a key, a function name, an address. */
  where?: string | undefined;
  /** What the reader can do about it, one sentence. */
  fix?: string | undefined;
  exitCode?: ExitCode | undefined;
  /** A stable word for programs, e.g. `import-refused`. */
  code?: string | undefined;
  cause?: unknown;
}

/**
 * The one error that people see. Its grammar: what failed, where, how to fix it.
 * `new MayflyError('Cannot listen: the port is in use', { where: '0.0.0.0:8080', fix: 'Stop the other process or set PORT.' })`
 */
export class MayflyError extends Error {
  override readonly name = 'MayflyError';
  readonly what: string;
  readonly where: string | undefined;
  readonly fix: string | undefined;
  readonly exitCode: ExitCode;
  readonly code: string;

  constructor(what: string, init: MayflyErrorInit = {}) {
    const where = init.where === undefined ? '' : ` (${init.where})`;
    const fix = init.fix === undefined ? '' : ` ${init.fix}`;
    super(`${what}${where}.${fix}`, { cause: init.cause });
    this.what = what;
    this.where = init.where;
    this.fix = init.fix;
    this.exitCode = init.exitCode ?? 1;
    this.code = init.code ?? 'failed';
  }
}
