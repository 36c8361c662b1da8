/** Whether connections can be made. Asked again and again while they cannot, so that requests need not try each by itself. */
import { connect } from 'node:net';

const LOOK_EVERY_MS = 50;
/** A connection that takes longer is no connection. */
const PATIENCE_MS = 2000;

export class Reachability {
  readonly #url: URL;
  readonly #onReached: () => void;
  readonly #onLook: (nowMs: number) => boolean;
  #timer: NodeJS.Timeout | null = null;

  /** `onLook`: before each look; false: nobody wants to know any more, and the next request shall try by itself. */
  constructor(url: string, onReached: () => void, onLook: (nowMs: number) => boolean) {
    this.#url = new URL(url);
    this.#onReached = onReached;
    this.#onLook = onLook;
  }

  /** The last that was heard is that no connection could be made. */
  get lost(): boolean {
    return this.#timer !== null;
  }

  /** A connection could not be made. */
  lose(): void {
    this.#timer ??= setTimeout(this.#look, LOOK_EVERY_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  readonly #look = (): void => {
    if (!this.#onLook(performance.now())) return this.stop();
    let settled = false;
    const socket = connect({ host: this.#url.hostname.replace(/^\[|\]$/g, ''), port: portOf(this.#url) });
    const settle = (reached: boolean): void => {
      if (settled) return;
      settled = true;
      socket.destroy();
      if (this.#timer === null) return;
      if (reached) {
        this.stop();
        this.#onReached();
      } else {
        this.#timer = setTimeout(this.#look, LOOK_EVERY_MS);
      }
    };
    socket.setTimeout(PATIENCE_MS, () => settle(false));
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
    // While it connects, those who wait too long are told nevertheless.
    const meanwhile = setInterval(() => this.#onLook(performance.now()), LOOK_EVERY_MS);
    socket.once('close', () => clearInterval(meanwhile));
  };
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}
