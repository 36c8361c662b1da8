import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Outcome } from './outcome.ts';

export const hasGo = (): boolean => spawnSync('go', ['version']).status === 0;

/** OPA's own evaluator as a process beside this one. */
export class NativeOpa {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor(policies: { modules: Record<string, string>; entrypoints: readonly string[]; data: unknown }) {
    const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod' };
    const cwd = join(import.meta.dirname, 'opa-cases');
    this.#process = spawn('go', ['run', './evaluate'], { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#process.stdin.write(`${JSON.stringify(policies)}\n`);
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  async decideAll(questions: readonly (readonly [entrypoint: number, input: unknown])[]): Promise<Outcome[]> {
    const text = questions.map((question) => `${JSON.stringify(question)}\n`).join('');
    if (!this.#process.stdin.write(text)) void once(this.#process.stdin, 'drain');
    const outcomes: Outcome[] = [];
    for (const _ of questions) {
      const line = await this.#lines.next();
      if (line.done === true) throw new Error('OPA ended early.');
      outcomes.push(JSON.parse(line.value) as Outcome);
    }
    return outcomes;
  }

  close(): void {
    this.#process.stdin.end();
  }
}
