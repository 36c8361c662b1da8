import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { monotonicMs } from './monotonic.ts';

/** What the clock's thread is given. */
export interface EpochClockData {
  readonly epoch: WebAssembly.Memory;
  /** Set to 1 and notified: stop. */
  readonly stop: Int32Array;
  readonly periodMs: number;
}

/** Emitted JavaScript runs beside emitted JavaScript, sources beside sources. */
const THREAD = new URL(`./epoch-clock-thread${extname(import.meta.filename)}`, import.meta.url);
const PERIOD_MS = 1;

/** The memory with the epoch word that prepared modules import: one page, shared. Its time stands still until a clock runs. */
export function createEpochMemory(): WebAssembly.Memory {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  writeEpoch(new Int32Array(memory.buffer));
  return memory;
}

export function writeEpoch(word: Int32Array): void {
  Atomics.store(word, 0, Math.floor(monotonicMs()) | 0);
}

/**
 * Keeps the time (monotonic.ts, whole milliseconds, modulo 2³²) in word 0 of the epoch memory, from a thread of its own:
 * a timer on a busy thread stalls, and with it the deadlines of every guest.
 */
export class EpochClock {
  readonly #worker: Worker;
  readonly #stop: Int32Array;

  private constructor(worker: Worker, stop: Int32Array) {
    this.#worker = worker;
    this.#stop = stop;
  }

  /** Resolves once the word is being counted up. The thread does not keep the process alive. */
  static async start(epoch: WebAssembly.Memory): Promise<EpochClock> {
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const workerData: EpochClockData = { epoch, stop, periodMs: PERIOD_MS };
    const worker = new Worker(THREAD, { workerData, name: 'epoch-clock' });
    await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    worker.unref();
    return new EpochClock(worker, stop);
  }

  /** Resolves when the thread has ended. */
  async stop(): Promise<void> {
    this.#worker.ref();
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve));
    Atomics.store(this.#stop, 0, 1);
    Atomics.notify(this.#stop, 0);
    await ended;
  }
}
