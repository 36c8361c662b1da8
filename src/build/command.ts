import { spawn } from 'node:child_process';
import { MayflyError } from '../model/errors.ts';

/** As much of a failed command's output as a person reads. */
const TAIL = 4000;

/** Runs a build command of any language (`cargo build --release`) in `folder`, through the shell as its author wrote it. */
export async function runCommand(command: string, folder: string): Promise<void> {
  const child = spawn(command, { cwd: folder, shell: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-TAIL);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.on('error', (cause) => {
    reject(new MayflyError('Cannot build: the command does not start', { where: command, cause }));
  });
  child.on('close', (code, signal) => {
    if (code === 0) return resolve();
    reject(
      new MayflyError(`Cannot build: the command ended with ${signal ?? `exit code ${code}`}`, {
        where: `${command}, in ${folder}`,
        fix: `Its last words:\n${output.trimEnd()}\n`,
        code: 'build-failed',
      }),
    );
  });
  await promise;
}
