import { performance } from 'node:perf_hooks';
import type { Call } from './call.ts';

const LOOK_EVERY_MS = 10;

/** The requests that wait for something, and the one timer that tells those whose time is up. It runs only while there are any. */
export class Waiting {
  readonly #calls = new Set<Call>();
  readonly #expire: (call: Call) => void;
  #timer: NodeJS.Timeout | null = null;

  constructor(expire: (call: Call) => void) {
    this.#expire = expire;
  }

  get size(): number {
    return this.#calls.size;
  }

  add(call: Call): void {
    this.#calls.add(call);
    this.#timer ??= setInterval(() => this.#look(performance.now()), LOOK_EVERY_MS);
  }

  delete(call: Call): void {
    this.#calls.delete(call);
    if (this.#calls.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #look(nowMs: number): void {
    for (const call of this.#calls) if (nowMs >= call.deadlineMs) this.#expire(call);
  }
}
