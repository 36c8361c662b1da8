/**
 * Keys that want work. A key is in the row once however often it was added, is worked on by one worker at a time, and
 * waits longer and longer while its work fails.
 */
import { backoff, type Time } from './time.ts';

const BACKOFF = { first: 50, most: 300_000 };

export interface WorkQueueOptions {
  readonly time: Time;
  readonly workers: number;
  work(key: string, signal: AbortSignal): Promise<void>;
  /** The work failed for the `failures`th time in a row. */
  onFailure(key: string, error: unknown, failures: number): void;
}

export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #waiting = new Set<string>();
  readonly #working = new Set<string>();
  /** Added again while it was worked on. */
  readonly #again = new Set<string>();
  readonly #later = new Map<string, symbol>();
  readonly #failures = new Map<string, number>();
  #wake = Promise.withResolvers<void>();

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** Keys that wait or are worked on. */
  get size(): number {
    return this.#waiting.size + this.#working.size;
  }

  add(key: string): void {
    if (this.#working.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#waiting.add(key);
    this.#wakeAll();
  }

  /** Once per key: an earlier wish for the same key is replaced. */
  addLater(key: string, ms: number, signal: AbortSignal): void {
    const wish = Symbol(key);
    this.#later.set(key, wish);
    void this.#options.time.sleep(ms, signal).then(() => {
      if (this.#later.get(key) !== wish) return;
      this.#later.delete(key);
      this.add(key);
    });
  }

  /** Until `signal`; work under way is finished. */
  async run(signal: AbortSignal): Promise<void> {
    const wake = () => this.#wakeAll();
    signal.addEventListener('abort', wake);
    const workers = Array.from({ length: this.#options.workers }, () => this.#worker(signal));
    await Promise.all(workers);
    signal.removeEventListener('abort', wake);
  }

  async #worker(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const [key] = this.#waiting;
      if (key === undefined) {
        await this.#wake.promise;
        continue;
      }
      this.#waiting.delete(key);
      this.#working.add(key);
      await this.#attempt(key, signal);
      this.#working.delete(key);
      if (this.#again.delete(key)) this.add(key);
    }
  }

  #wakeAll(): void {
    const sleeping = this.#wake;
    this.#wake = Promise.withResolvers();
    sleeping.resolve();
  }

  async #attempt(key: string, signal: AbortSignal): Promise<void> {
    const { work, onFailure } = this.#options;
    try {
      await work(key, signal);
      this.#failures.delete(key);
    } catch (error) {
      const failures = (this.#failures.get(key) ?? 0) + 1;
      this.#failures.set(key, failures);
      onFailure(key, error, failures);
      this.addLater(key, backoff(failures, BACKOFF), signal);
    }
  }
}
