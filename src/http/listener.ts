import { type Server, type Socket, createServer } from 'node:net';
import { Server as SecureServer, createServer as createSecureServer } from 'node:tls';
import { MayflyError } from '../model/errors.ts';
import { problems } from '../model/problems.ts';
import { GAUGE } from '../model/shared.ts';
import type { HttpSpec } from '../model/snapshot.ts';
import { adoptHandle, readEvents } from './adopt.ts';
import { Connection } from './connection.ts';
import { Http2Connection } from './http2.ts';
import type { RequestHandler } from './exchange.ts';
import { Front, type HttpStats } from './front.ts';
import { problemDocument } from './problem.ts';

const SWEEP_MS = 500;
const BACKLOG = 4096;
/**
 * Sockets that listen, of each thread. libuv takes one connection of a socket in a turn of the event loop, and a busy thread's
 * turns take milliseconds: when hundreds connect at once, the last would wait for hundreds of turns. The kernel spreads
 * connections over all sockets of a port (SO_REUSEPORT), so with so many sockets so many are taken in a turn.
 */
const SOCKETS = 16;

export interface ListenOptions<Context> {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Several threads listen on the same port and the kernel spreads the connections. */
  readonly reusePort: boolean;
  readonly handler: RequestHandler<Context>;
  readonly http: HttpSpec;
  /** model/shared.ts, GAUGE: open connections of all threads, and of this one. */
  readonly gauges: Int32Array;
  /** This thread's row there; 0 when it is the only one. */
  readonly row?: number;
  /** Speak TLS with the certificate of `http.tls`: HTTP/1.1, and HTTP/2 for clients that ask for it (ALPN). */
  readonly secure?: boolean;
  /** `events` does without the undocumented interface; by default it is used where it exists. */
  readonly sockets?: 'shared-buffer' | 'events';
}

export interface Listener {
  readonly port: number;
  readonly stats: Readonly<HttpStats>;
  /** New limits, in force from the next request on; a new certificate, from the next handshake on. */
  update(http: HttpSpec): void;
  /** Goes on accepting and answering, but each answer is the last of its connection, so that clients look for another server. */
  leave(): void;
  /**
   * Stops accepting, closes idle connections, lets current requests finish for at most `graceMs`, then cuts.
   * Returns how many requests were cut.
   */
  drain(graceMs: number): Promise<number>;
}

/** Opens the HTTP front of one thread. Throws a MayflyError when the address cannot be listened on. */
export async function listen<Context>(options: ListenOptions<Context>): Promise<Listener> {
  const front = new Front<Context>(options.handler, options.http);
  const servers = await openAll(options, () =>
    options.secure === true ? secureServer(front, options) : plainServer(front, options),
  );
  const sweeper = setInterval(() => front.sweep(performance.now()), SWEEP_MS).unref();
  return {
    port: portOf(servers[0] as Server),
    get stats() {
      front.stats.open = front.connections.size + front.sessions.size;
      return front.stats;
    },
    update(http) {
      front.http = http;
      for (const server of servers) {
        if (http.tls !== null && server instanceof SecureServer)
          server.setSecureContext(secureContext(http.tls));
      }
    },
    leave() {
      front.draining = true;
      for (const session of front.sessions) session.leave();
    },
    async drain(graceMs) {
      for (const server of servers) server.close();
      const aborted = await drain(front, graceMs);
      clearInterval(sweeper);
      return aborted;
    },
  };
}

function plainServer<Context>(front: Front<Context>, options: ListenOptions<Context>): Server {
  const server = createServer({ noDelay: true, pauseOnConnect: true, allowHalfOpen: true });
  server.on('connection', (accepted) => {
    accepted.on('error', () => front.stats.socketErrors++);
    if (!admit(front, options)) return refuse(accepted);
    const connect = (socket: Socket): Connection<Context> => {
      if (socket !== accepted) socket.on('error', () => front.stats.socketErrors++);
      socket.once('close', () => count(options, -1));
      return new Connection(socket, front, false);
    };
    if (options.sockets !== 'events' && adoptHandle(accepted, front.readBuffer, connect)) return undefined;
    return readEvents(accepted, connect(accepted));
  });
  return server;
}

function secureServer<Context>(front: Front<Context>, options: ListenOptions<Context>): Server {
  const { tls, timeoutMs } = front.http;
  if (tls === null)
    throw new MayflyError('Cannot listen with TLS: there is no certificate', { code: 'no-certificate' });
  const server = createSecureServer({
    ...secureContext(tls),
    ALPNProtocols: ['h2', 'http/1.1'],
    handshakeTimeout: timeoutMs,
    noDelay: true,
    allowHalfOpen: true,
  });
  server.on('connection', (accepted: Socket) => {
    accepted.on('error', () => front.stats.socketErrors++);
    if (!admit(front, options)) return accepted.destroy(); // there is no way to answer before the handshake
    return accepted.once('close', () => count(options, -1));
  });
  server.on('tlsClientError', () => front.stats.socketErrors++);
  server.on('secureConnection', (socket) => {
    socket.on('error', () => front.stats.socketErrors++);
    if (socket.alpnProtocol === 'h2') front.sessions.add(new Http2Connection(socket, front));
    else readEvents(socket, new Connection(socket, front, true));
  });
  return server;
}

function secureContext(tls: NonNullable<HttpSpec['tls']>): { cert: string; key: string } {
  return { cert: tls.certificate, key: tls.key };
}

/** Counts the connection in, unless there are too many over all threads. */
function admit<Context>(front: Front<Context>, options: ListenOptions<Context>): boolean {
  front.stats.accepted++;
  if (count(options, 1) < front.http.maxConnections) return true;
  count(options, -1);
  front.stats.refused++;
  return false;
}

/** Returns how many there were over all threads. */
function count<Context>({ gauges, row = 0 }: ListenOptions<Context>, change: number): number {
  Atomics.add(gauges, GAUGE.connectionsOf(row), change);
  return Atomics.add(gauges, GAUGE.connections, change);
}

const document = problemDocument('unavailable', 'Too many connections are open.', null);
const tooManyConnections = Buffer.concat([
  Buffer.from(
    `HTTP/1.1 ${problems.unavailable.status} Service Unavailable\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${document.length}\r\nretry-after: 1\r\nconnection: close\r\n\r\n`,
  ),
  document,
]);

/** One connection too many: an answer, and the door. */
function refuse(socket: Socket): void {
  socket.end(tooManyConnections, () => socket.destroy());
}

/** All on one port, which the first one picks when it is 0. Without `reusePort` there can be only one. */
async function openAll<Context>(options: ListenOptions<Context>, make: () => Server): Promise<Server[]> {
  const first = make();
  await open(first, options, options.port);
  const servers = [first];
  try {
    while (options.reusePort && servers.length < SOCKETS) {
      const server = make();
      await open(server, options, portOf(first));
      servers.push(server);
    }
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  return servers;
}

function portOf(server: Server): number {
  return (server.address() as { port: number }).port;
}

function open<Context>(
  server: Server,
  { host, reusePort }: ListenOptions<Context>,
  port: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => reject(cannotListen(error, host, port));
    server.once('error', onError);
    server.listen({ host, port, reusePort, backlog: BACKLOG }, () => {
      server.off('error', onError);
      resolve();
    });
  });
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): MayflyError {
  const inUse = error.code === 'EADDRINUSE';
  return new MayflyError(inUse ? 'Cannot listen: the port is in use' : `Cannot listen: ${error.message}`, {
    where: `${host}:${port}`,
    fix: inUse ? 'Stop the other process, or choose another port with PORT or server.port.' : undefined,
    code: 'cannot-listen',
    cause: error,
  });
}

const DRAIN_POLL_MS = 20;

async function drain<Context>(front: Front<Context>, graceMs: number): Promise<number> {
  front.draining = true;
  for (const connection of front.connections) connection.drain();
  for (const session of front.sessions) session.drain();
  const end = performance.now() + graceMs;
  while (front.connections.size + front.sessions.size > 0 && performance.now() < end) {
    await new Promise((resolve) => {
      setTimeout(resolve, DRAIN_POLL_MS);
    });
  }
  let aborted = front.streams.size;
  for (const connection of front.connections) {
    if (connection.busy) aborted++;
    connection.destroy();
  }
  for (const session of front.sessions) session.destroy();
  return aborted;
}
