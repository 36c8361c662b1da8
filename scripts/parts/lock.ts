/** A lock between processes that the kernel frees when its holder dies, however it dies. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Runs `action` while holding the lock `file`; waits for as long as another process holds it.
 * A small `flock` process holds the lock until its standard input closes, which the kernel sees to when we end.
 */
export async function locked<T>(file: string, action: () => Promise<T>): Promise<T> {
  const holder = spawn('flock', [file, 'sh', '-c', 'echo held; exec cat >&2'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = once(holder, 'close');
  const [first] = (await Promise.race([
    once(holder.stdout, 'data'),
    ended.then(() => {
      throw new Error(`the lock ${file} cannot be had`);
    }),
  ])) as [Buffer];
  if (!first.toString().startsWith('held')) throw new Error(`the lock ${file} cannot be had`);
  try {
    return await action();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
