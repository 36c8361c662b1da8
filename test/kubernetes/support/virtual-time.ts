import type { Time } from '../../../src/kubernetes/operator/time.ts';

interface Sleeper {
  readonly until: number;
  wake(): void;
}

/** Time that passes only when everybody waits: hours in milliseconds, and the same each time. */
export class VirtualTime implements Time {
  #now = Date.parse('2026-11-23T00:00:00Z');
  readonly #sleepers = new Set<Sleeper>();

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const wake = () => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper = { until: this.#now + ms, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', wake);
    });
  }

  /** Lets `ms` pass, and all that happens in them. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await quiet();
      let next = Infinity;
      for (const { until } of this.#sleepers) next = Math.min(next, until);
      if (next > end) break;
      this.#now = Math.max(this.#now, next);
      for (const sleeper of this.#sleepers) if (sleeper.until <= next) sleeper.wake();
    }
    this.#now = end;
  }
}

/** Everything that waits for nothing but its turn has had it. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}
