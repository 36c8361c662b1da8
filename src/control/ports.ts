/** Is an address free? `SO_REUSEPORT` would let a second process of the same user share it without a word. */
import { createServer } from 'node:net';
import { MayflyError } from '../model/errors.ts';

/** Throws MayflyError `cannot-listen` when somebody listens there already, or may not. Port 0 is always free. */
export async function requireFreePort(host: string, port: number, key: string): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host, port }, resolve);
  try {
    await promise;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const what = code === 'EADDRINUSE' ? 'the port is in use' : message;
    throw new MayflyError(`Cannot listen: ${what}`, {
      where: `${host}:${port}, ${key}`,
      fix: 'Stop the other process, or choose another port.',
      code: 'cannot-listen',
      cause: error,
    });
  }
  await new Promise((closed) => {
    server.close(closed);
  });
}
