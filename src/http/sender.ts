import type { Socket } from 'node:net';
import type { HttpStats } from './front.ts';
import type { Output } from './output.ts';
import { allowance } from './progress.ts';

/** Unsent answers beyond which no further request is read. */
const MAX_UNSENT_BYTES = 262_144;

/** The way out of a connection: writes, and watches what the client does not take. */
export class Sender {
  readonly #socket: Socket;
  readonly #stats: HttpStats;
  #unsentSince = 0;
  #unsentBytes = 0;
  /** Too much is unsent: nothing is read until it went out. */
  stalled = false;

  constructor(socket: Socket, stats: HttpStats) {
    this.#socket = socket;
    this.#stats = stats;
  }

  /** Sends what was put together from `start` on: all of it, or one answer behind another connection's. */
  send(output: Output, start: number, now: number): void {
    if (output.length === start) return;
    if (start === 0) {
      const isDone = this.#write(output.take(), now);
      output.release(isDone);
    } else {
      this.#write(Buffer.from(output.bytes.subarray(start, output.length)), now);
      output.length = start;
    }
  }

  /** Whether the kernel took all of it at once; else the bytes must be left alone. */
  #write(bytes: Buffer, now: number): boolean {
    this.#stats.bytesWritten += bytes.length;
    this.#socket.write(bytes);
    const unsent = this.#socket.writableLength;
    if (unsent === 0) return true;
    this.#unsentSince = now;
    this.#unsentBytes = unsent;
    if (unsent > MAX_UNSENT_BYTES && !this.stalled) {
      this.stalled = true;
      this.#socket.pause();
    }
    return false;
  }

  get hasUnsent(): boolean {
    return this.#socket.writableLength > 0;
  }

  /** The client takes what is unsent more slowly than it may. */
  isTooSlow(timeoutMs: number, now: number): boolean {
    return now - this.#unsentSince > timeoutMs + allowance(this.#unsentBytes);
  }
}
