import { once } from 'node:events';
import { connect } from 'node:net';

const PATIENCE_MS = 20_000;

/** Sends the pieces one after the other and returns all that comes until the server closes. */
export async function ask(port: number, pieces: readonly Buffer[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  socket.on('error', () => undefined); // what came before a reset counts
  const closed = once(socket, 'close');
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('the server neither answers nor closes')));
  await once(socket, 'connect');
  for (const piece of pieces) {
    await new Promise((sent) => {
      socket.write(piece, sent);
    });
    if (pieces.length > 1) await new Promise(setImmediate);
  }
  await closed;
  return Buffer.concat(received).toString('latin1');
}
