import { writeFileSync } from 'node:fs';
import { MayflyError } from '../../model/errors.ts';

/** Writes a file that must not be there yet: a key that is overwritten is lost. */
export function writeNew(file: string, text: string, mode: number): void {
  try {
    writeFileSync(file, text, { flag: 'wx', mode });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = code === 'EEXIST' ? 'it is there already' : message;
    const fix = code === 'EEXIST' ? 'Move it away, or choose another name with --prefix.' : undefined;
    throw new MayflyError(`Cannot write the key: ${reason}`, { where: file, fix, code: 'unwritable', cause });
  }
}
