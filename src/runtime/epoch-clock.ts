import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { EpochWords } from './epoch-memory.ts';

/** What the clock's thread is given. */
export interface EpochClockData {
  readonly epoch: WebAssembly.Memory;
}

/** Emitted JavaScript runs beside emitted JavaScript, sources beside sources. */
const THREAD = new URL(`./epoch-clock-thread${extname(import.meta.filename)}`, import.meta.url);

/**
 * Keeps the time (monotonic.ts, whole milliseconds, modulo 2³²) in word 0 of the epoch memory, from a thread of its own:
 * a timer on a busy thread stalls, and with it the deadlines of every guest. It is exact where that matters: at every
 * deadline that a thread has announced (epoch-memory.ts). In between it sleeps, and so may lag behind.
 */
export class EpochClock {
  readonly #worker: Worker;
  readonly #words: EpochWords;

  private constructor(worker: Worker, words: EpochWords) {
    this.#worker = worker;
    this.#words = words;
  }

  /** Resolves once the clock runs. The thread does not keep the process alive. */
  static async start(epoch: WebAssembly.Memory): Promise<EpochClock> {
    const workerData: EpochClockData = { epoch };
    const worker = new Worker(THREAD, { workerData, name: 'epoch-clock' });
    await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    worker.unref();
    return new EpochClock(worker, new EpochWords(epoch));
  }

  /** Resolves when the thread has ended. */
  async stop(): Promise<void> {
    this.#worker.ref();
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#words.stop();
    await ended;
  }
}
