/** What a command finds around it, and what it leaves behind. */
import type { Terminal } from './ui/report.ts';

export interface Shell {
  readonly terminal: Terminal;
  /** Of the process; a command that failed without an error (a test that did not pass) sets it to 1. */
  exitCode: number;
}
