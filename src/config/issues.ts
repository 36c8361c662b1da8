import { MayflyError } from '../model/errors.ts';

/** One thing that is wrong with a configuration. */
export interface ConfigIssue {
  /** The file as it was named, or `environment` for a variable that overrides a key. */
  readonly file: string;
  /** From 1; null where the problem is not at one place. */
  readonly line: number | null;
  readonly column: number | null;
  /** Path of the key, `functions.hello.routes[0].path`; empty for the file as a whole. */
  readonly key: string;
  /** Completes the sentence "<key> …". */
  readonly message: string;
  /** What is written there; null where there is nothing, or where it is a secret. */
  readonly found: string | null;
  /** What may be written there. */
  readonly allowed: string | null;
  /** The nearest known word. */
  readonly suggestion: string | null;
}

/** `mayfly.yaml:3:12: server.timeout needs a unit. Found 30, allowed is a duration such as 30s …` */
export function formatIssue(issue: ConfigIssue): string {
  const place = [issue.file, issue.line, issue.column].filter((part) => part !== null).join(':');
  let text = `${place}: ${issue.key === '' ? 'The file' : issue.key} ${issue.message}.`;
  if (issue.found !== null) text += ` Found: ${issue.found}.`;
  if (issue.suggestion !== null) text += ` Did you mean ${issue.suggestion}?`;
  if (issue.allowed !== null) text += ` Allowed: ${issue.allowed}.`;
  return text;
}

/** Everything that is wrong with a configuration, at once. */
export class ConfigError extends MayflyError {
  readonly issues: readonly ConfigIssue[];

  constructor(file: string, issues: readonly ConfigIssue[]) {
    const count = issues.length === 1 ? 'one problem' : `${issues.length} problems`;
    super(`Cannot use the configuration: ${count}`, {
      where: file,
      fix: `\n${issues.map((issue) => `  ${formatIssue(issue)}`).join('\n')}`,
      exitCode: 2,
      code: 'invalid-configuration',
    });
    this.issues = issues;
  }
}
