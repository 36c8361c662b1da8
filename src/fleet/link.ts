/** A connection to Valkey or Redis that subscribes to one channel and publishes to it, and comes back by itself. */
import { connect, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { command, ReplyReader, type Reply } from './resp.ts';

export interface LinkTarget {
  readonly host: string;
  readonly port: number;
  /** `ca`: PEM, null for the system's own authorities. */
  readonly tls: { readonly ca: string | null } | null;
  readonly user: string;
  readonly password: string | null;
}

export interface LinkOptions {
  readonly target: LinkTarget;
  readonly channel: string;
  readonly onMessage: (message: Buffer) => void;
  /** It is up: what is published from now on reaches the others, and the other way round. */
  readonly onUp: () => void;
  /** It was up and is no more, or the first attempt failed. `why` is free of secrets. Once until it is up again. */
  readonly onDown: (why: string) => void;
}

/** Without an answer for so long, the connection is given up: a path that is broken says nothing. */
const PATIENCE_MS = 2000;
const FIRST_RETRY_MS = 50;
const SLOWEST_RETRY_MS = 2000;

export class Link implements Disposable {
  readonly #options: LinkOptions;
  #socket: Socket | null = null;
  #up = false;
  #saidDown = false;
  #retryMs = FIRST_RETRY_MS;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  /** When the oldest command that has no answer was sent; null: all are answered. */
  #waitingSince: number | null = null;
  #unanswered = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#connect();
  }

  get up(): boolean {
    return this.#up;
  }

  /** False: it cannot be sent now. Nothing is kept for later. */
  publish(message: Buffer): boolean {
    if (!this.#up) return false;
    this.#send(command('PUBLISH', this.#options.channel, message));
    return true;
  }

  /** Gives the connection up when it has not answered in time; call it now and then. */
  check(): void {
    if (this.#waitingSince === null || performance.now() - this.#waitingSince < PATIENCE_MS) return;
    this.#socket?.destroy(new Error(`no answer for ${PATIENCE_MS} ms`));
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#socket?.destroy();
  }

  #connect(): void {
    const { host, port, tls, user, password } = this.#options.target;
    const reader = new ReplyReader();
    const socket =
      tls === null
        ? connect({ host, port, noDelay: true })
        : connectSecurely({ host, port, servername: host, ...(tls.ca === null ? {} : { ca: tls.ca }) });
    this.#socket = socket;
    this.#unanswered = 0;
    this.#waitingSince = performance.now();
    socket.once(tls === null ? 'connect' : 'secureConnect', () => {
      socket.setNoDelay(true);
      this.#waitingSince = null;
      const auth = password === null ? [] : ['AUTH', user, password];
      this.#send(command('HELLO', '3', ...auth));
      this.#send(command('SUBSCRIBE', this.#options.channel));
    });
    socket.on('data', (bytes: Buffer) => {
      try {
        for (const reply of reader.push(bytes)) this.#answer(reply);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    let why = 'it closed the connection';
    socket.on('error', (error: NodeJS.ErrnoException) => (why = error.message || (error.code ?? why)));
    socket.on('close', () => this.#down(why));
  }

  #send(bytes: Buffer): void {
    this.#unanswered++;
    this.#waitingSince ??= performance.now();
    this.#socket?.write(bytes);
  }

  #answer(reply: Reply): void {
    // What Valkey says to a wrong password names the command, never its words.
    if (reply.type === 'error') throw new Error(reply.message);
    if (reply.type === 'push') {
      const [kind, , payload] = reply.items;
      if (kind?.type !== 'text' || payload?.type !== 'text') return;
      const name = kind.value.toString('latin1');
      if (name === 'message') return this.#options.onMessage(payload.value);
      if (name !== 'subscribe') return;
    }
    this.#unanswered--;
    this.#waitingSince = this.#unanswered > 0 ? performance.now() : null;
    if (reply.type !== 'push') return;
    this.#up = true;
    this.#saidDown = false;
    this.#retryMs = FIRST_RETRY_MS;
    this.#options.onUp();
  }

  #down(why: string): void {
    this.#up = false;
    if (this.#closed) return;
    if (!this.#saidDown) this.#options.onDown(why);
    this.#saidDown = true;
    // Not all at the same moment, when Valkey comes back.
    this.#retry = setTimeout(() => this.#connect(), this.#retryMs * (0.5 + Math.random()));
    this.#retryMs = Math.min(this.#retryMs * 2, SLOWEST_RETRY_MS);
  }
}
