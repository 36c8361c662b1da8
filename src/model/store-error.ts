/** What the operating system says about a disk, for people. */
import { MayflyError } from './errors.ts';

const explanations: Readonly<Record<string, readonly [state: string, fix: string]>> = {
  ENOSPC: ['the disk is full', 'Free some space, or remove functions that are no longer needed.'],
  EDQUOT: ['the disk quota is used up', 'Free some space, or remove functions that are no longer needed.'],
  EACCES: ['permission denied', 'Give this user write access to the folder.'],
  EPERM: ['permission denied', 'Give this user write access to the folder.'],
  EROFS: ['the file system is read-only', 'Choose a folder on a writable disk.'],
  ENOTDIR: ['a file is in the way of a folder', 'Move that file, or choose another folder.'],
  EEXIST: ['a file is in the way of a folder', 'Move that file, or choose another folder.'],
  EISDIR: ['a folder is in the way of a file', 'Move that folder, or choose another name.'],
};

/** `what` completes "Cannot …". Code `disk-full` or `store-failed`. */
export function storeError(what: string, where: string, error: unknown): MayflyError {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  const known = explanations[code];
  return new MayflyError(`Cannot ${what}: ${known?.[0] ?? (error as Error).message}`, {
    where,
    fix: known?.[1],
    code: code === 'ENOSPC' || code === 'EDQUOT' ? 'disk-full' : 'store-failed',
    cause: error,
  });
}
