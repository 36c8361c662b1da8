/** Runs the programs of a recipe and keeps what they say in its log. */
import { spawn } from 'node:child_process';
import { accessSync, appendFileSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Site } from './recipe.ts';

const LONGEST_RUN_MS = 60 * 60_000;

/** A runner whose programs' output is appended to `log`. It resolves to what the program wrote to stdout. */
export function runner(log: string): Site['run'] {
  return (program, args, options = {}) =>
    new Promise((resolve, reject) => {
      appendFileSync(log, `\n$ ${program} ${args.join(' ')}\n`);
      const child = spawn(program, args, {
        cwd: options.cwd,
        env: { ...process.env, ...options.env },
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: LONGEST_RUN_MS,
      });
      const output: Buffer[] = [];
      let lastWords = '';
      child.stdout.on('data', (chunk: Buffer) => {
        output.push(chunk);
        appendFileSync(log, chunk);
      });
      child.stderr.on('data', (chunk: Buffer) => {
        lastWords = (lastWords + chunk.toString()).slice(-2000);
        appendFileSync(log, chunk);
      });
      child.on('error', (error) => reject(new Error(`${program} cannot be run: ${error.message}`)));
      child.on('close', (code, signal) => {
        if (code === 0) resolve(Buffer.concat(output).toString());
        else {
          const last = lastWords.trim().split('\n').at(-1) ?? '';
          reject(new Error(`${program} ended with ${signal ?? code}${last === '' ? '' : `: ${last}`}`));
        }
      });
    });
}

/** Which of the programs are not on this machine's PATH. */
export function absent(programs: readonly string[], path = process.env['PATH'] ?? ''): string[] {
  return programs.filter(
    (program) => !path.split(delimiter).some((folder) => isExecutable(join(folder, program))),
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
