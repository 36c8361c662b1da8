/** Secrets that Mayfly makes itself on first start: one random value in a file that only its owner can read. */
import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { MayflyError } from '../model/errors.ts';

/**
 * The text in `file`. When there is no such file it is made first: 32 random bytes as base64url, mode 0600.
 * `what` names the secret in errors, which never contain it. Throws MayflyError when the file is empty or unreadable.
 */
export function readOrCreateSecret(file: string, what: string): string {
  return readSecret(file, what) ?? createSecret(file, what);
}

function readSecret(file: string, what: string): string | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw secretError(`Cannot read ${what}`, file, error);
  }
  if (text === '') {
    throw new MayflyError(`Cannot use ${what}: the file is empty`, {
      where: file,
      fix: 'Delete it; a new one is made at the next start.',
      exitCode: 2,
      code: 'empty-secret',
    });
  }
  return text;
}

/** Written aside and linked into place: whoever reads finds all of it or no file, and of two that start at once one wins. */
function createSecret(file: string, what: string): string {
  const secret = randomBytes(32).toString('base64url');
  const aside = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(aside, `${secret}\n`, { mode: 0o600, flag: 'wx', flush: true });
    chmodSync(aside, 0o600);
    linkSync(aside, file);
    return secret;
  } catch (error) {
    const winner = (error as NodeJS.ErrnoException).code === 'EEXIST' ? readSecret(file, what) : null;
    if (winner !== null) return winner;
    throw secretError(`Cannot write ${what}`, file, error);
  } finally {
    rmSync(aside, { force: true });
  }
}

function secretError(what: string, file: string, error: unknown): MayflyError {
  const { code, message } = error as NodeJS.ErrnoException;
  const denied = code === 'EACCES' || code === 'EPERM';
  return new MayflyError(`${what}: ${denied ? 'permission denied' : message}`, {
    where: file,
    fix: 'The file and its folder must belong to this user.',
    code: 'secret-file',
    cause: error,
  });
}
