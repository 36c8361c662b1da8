/** A way from a node's namespaces to this machine's loopback: network namespaces share no addresses, but they share files. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Connections to a Unix socket go to `port` of this machine's loopback. */
export class Relay implements AsyncDisposable {
  readonly socket: string;
  readonly #open = new Set<Socket>();
  readonly #server = createServer((inner) => this.#carry(inner));
  readonly #port: number;

  private constructor(socket: string, port: number) {
    this.socket = socket;
    this.#port = port;
  }

  static async start(socket: string, port: number): Promise<Relay> {
    const relay = new Relay(socket, port);
    relay.#server.listen(socket);
    await once(relay.#server, 'listening');
    return relay;
  }

  #carry(inner: Socket): void {
    const outer = connect(this.#port, '127.0.0.1');
    inner.pipe(outer).pipe(inner);
    inner.on('error', () => outer.destroy());
    outer.on('error', () => inner.destroy());
    this.#open.add(inner);
    inner.on('close', () => {
      this.#open.delete(inner);
      outer.destroy();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const inner of this.#open) inner.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
