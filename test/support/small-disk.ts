/** A file system of so many bytes, for tests of a disk that is full. Needs root and Linux: undefined elsewhere. */
import { spawnSync } from 'node:child_process';
import { makeTestFolder } from './folder.ts';

export interface SmallDisk extends Disposable {
  readonly path: string;
}

export function makeSmallDisk(kibibytes: number): SmallDisk | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  const folder = makeTestFolder();
  const options = ['-t', 'tmpfs', '-o', `size=${kibibytes}k`, 'tmpfs', folder.path];
  if (spawnSync('mount', options).status !== 0) {
    folder[Symbol.dispose]();
    return undefined;
  }
  return {
    path: folder.path,
    [Symbol.dispose]() {
      spawnSync('umount', [folder.path]);
      folder[Symbol.dispose]();
    },
  };
}
