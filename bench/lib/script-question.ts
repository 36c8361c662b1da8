/** A measurement below the gateway that is a script of its own and prints Markdown: run as it is, shown as it prints. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Question } from './question.ts';

const TIMEOUT_MS = 600_000;

export function scriptQuestion(head: Pick<Question, 'name' | 'title' | 'meaning'>, script: string): Question {
  return {
    ...head,
    async run({ quick }) {
      const file = join(import.meta.dirname, '..', script);
      const { stdout } = await promisify(execFile)(process.execPath, [file, ...(quick ? ['--quick'] : [])], {
        timeout: TIMEOUT_MS,
        killSignal: 'SIGKILL',
        maxBuffer: 1 << 24,
      });
      return { tables: [], charts: [], targets: [], raw: stdout, markdown: stdout.trim() };
    },
  };
}
