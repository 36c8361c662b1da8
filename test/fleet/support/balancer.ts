/** A load balancer that knows connections only, and follows the readiness of what is behind it, as Kubernetes does. */
import { Agent } from 'node:http';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { get } from '../../support/clients.ts';

const CHECK_EVERY_MS = 100;

interface Backend {
  readonly port: number;
  ready: boolean;
}

export interface Balancer extends AsyncDisposable {
  readonly url: string;
  /** Gateways by their address; those that are left out get no further connections. */
  follow(urls: readonly string[]): Promise<void>;
  /** Connections that a gateway broke off while a request on them had no answer. */
  readonly cut: number;
}

export async function startBalancer(): Promise<Balancer> {
  let backends: Backend[] = [];
  let turn = 0;
  let cut = 0;
  const open = new Set<Socket>();

  const check = async (backend: Backend) => {
    const answer = await get(new Agent(), `http://127.0.0.1:${backend.port}/ready`).catch(() => null);
    backend.ready = answer?.status === 200;
  };
  const checkAll = () => Promise.all(backends.map(check));
  const timer = setInterval(() => void checkAll(), CHECK_EVERY_MS);

  const server = createServer({ noDelay: true }, (client) => {
    open.add(client);
    client.on('close', () => open.delete(client)).on('error', () => client.destroy());
    // Bytes that arrive before a gateway took the connection wait in the socket.
    client.pause();
    dial(client, backends.length);
  });

  /** One gateway after the other, until one takes the connection. */
  const dial = (client: Socket, attempts: number): void => {
    const ready = backends.filter((backend) => backend.ready);
    const chosen = ready[turn++ % ready.length];
    if (chosen === undefined || attempts === 0) return void client.destroy();
    const gateway = connect({ port: chosen.port, host: '127.0.0.1', noDelay: true });
    let connected = false;
    let waiting = false;
    open.add(gateway);
    gateway.on('connect', () => {
      connected = true;
      client.on('data', (bytes) => {
        waiting = true;
        gateway.write(bytes);
      });
      client.on('end', () => gateway.end());
      client.on('close', () => gateway.destroy());
      client.resume();
    });
    gateway.on('data', (bytes) => {
      waiting = false;
      client.write(bytes);
    });
    gateway.on('end', () => client.end());
    gateway.on('error', () => {
      if (connected) return;
      chosen.ready = false;
      dial(client, attempts - 1);
    });
    gateway.on('close', () => {
      open.delete(gateway);
      if (!connected) return;
      if (waiting && !client.destroyed) cut++;
      client.end();
    });
  };

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    async follow(urls) {
      const ports = urls.map((url) => Number(new URL(url).port));
      backends = ports.map(
        (port) => backends.find((backend) => backend.port === port) ?? { port, ready: false },
      );
      await checkAll();
    },
    get cut() {
      return cut;
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
