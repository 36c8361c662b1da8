import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { MayflyError } from '../model/errors.ts';

/** The bytes of a file, or of stdin for `-`. Throws MayflyError, exit code 2, when there is no reading it. */
export async function readInput(file: string): Promise<Buffer> {
  try {
    return file === '-' ? await buffer(process.stdin) : await readFile(file);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : message;
    throw new MayflyError(`Cannot read: ${reason}`, { where: file, exitCode: 2, code: 'unreadable', cause });
  }
}

/** One JSON document from a file, or from stdin for `-`. */
export async function readJsonInput(file: string): Promise<unknown> {
  const text = (await readInput(file)).toString('utf8');
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new MayflyError(`This is not JSON: ${(cause as Error).message}`, {
      where: file === '-' ? 'stdin' : file,
      exitCode: 2,
      code: 'not-json',
      cause,
    });
  }
}
