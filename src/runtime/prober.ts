import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { MayflyError } from '../model/errors.ts';
import type { RevisionSpec } from '../model/function.ts';
import type { ProbeReport, ProbeThreadData } from './probe-protocol.ts';

/** Emitted JavaScript runs beside emitted JavaScript, sources beside sources. */
const THREAD = new URL(`./probe-thread${extname(import.meta.filename)}`, import.meta.url);
/** A guest that fills its memory at start must not fill ours. */
const HEAP_MB = 128;

export interface ProberOptions {
  /** How long one probe may take before its thread is ended. */
  readonly patienceMs?: number;
  /** How long a thread waits for the next probe before it is ended. */
  readonly idleMs?: number;
}

/**
 * Makes one instance of a revision on a thread of its own and throws it away: a module that traps, loops or runs out of
 * memory while it initialises is found out before it is deployed, not by its first request. Starting a thread takes
 * longer than the probe, so a thread whose probe ended well is used again; any other is ended and replaced.
 */
export class Prober {
  readonly #epoch: WebAssembly.Memory;
  readonly #patienceMs: number;
  readonly #idleMs: number;
  #idle: Worker | null = null;
  #idleTimer: NodeJS.Timeout | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(epoch: WebAssembly.Memory, { patienceMs = 10_000, idleMs = 10_000 }: ProberOptions = {}) {
    this.#epoch = epoch;
    this.#patienceMs = patienceMs;
    this.#idleMs = idleMs;
  }

  /** Resolves when an instance started; throws MayflyError, code `probe-failed`, when none did. One at a time, in order. */
  async probe(revision: RevisionSpec): Promise<void> {
    const turn = this.#last.then(() => this.#probe(revision));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #probe(revision: RevisionSpec): Promise<void> {
    const worker = this.#takeWorker();
    const verdict = await watch(worker, revision, this.#patienceMs);
    if (verdict.reusable) this.#keep(worker);
    else await worker.terminate();
    if (verdict.error === null) return;
    throw new MayflyError(`the module does not start: ${verdict.error}`, {
      fix: 'Run its initialisation (start function, _initialize) on its own and see where it fails.',
      exitCode: 2,
      code: 'probe-failed',
    });
  }

  #takeWorker(): Worker {
    clearTimeout(this.#idleTimer);
    const worker = this.#idle ?? this.#start();
    this.#idle = null;
    worker.ref();
    return worker;
  }

  #start(): Worker {
    const workerData: ProbeThreadData = { epoch: this.#epoch };
    const resourceLimits = { maxOldGenerationSizeMb: HEAP_MB };
    const worker = new Worker(THREAD, { workerData, name: 'probe', resourceLimits });
    // It may also die while it waits, of what it did before; an error nobody listens to would end the process.
    worker.on('error', () => this.#forget(worker));
    worker.on('exit', () => this.#forget(worker));
    return worker;
  }

  /** Neither the waiting thread nor its timer keeps the process alive. */
  #keep(worker: Worker): void {
    this.#idle = worker;
    worker.unref();
    this.#idleTimer = setTimeout(() => {
      this.#forget(worker);
      void worker.terminate();
    }, this.#idleMs).unref();
  }

  #forget(worker: Worker): void {
    if (this.#idle === worker) this.#idle = null;
  }
}

interface Verdict {
  /** Null: it starts. */
  readonly error: string | null;
  /** Whether the thread came out of it as it went in. */
  readonly reusable: boolean;
}

/** Once the module has started, nothing that happens to the thread counts against it: requests have budgets of their own. */
async function watch(worker: Worker, revision: RevisionSpec, patienceMs: number): Promise<Verdict> {
  const { promise, resolve } = Promise.withResolvers<Verdict>();
  let started = false;
  const end = (error: string): void => resolve({ error: started ? null : error, reusable: false });
  const onMessage = (report: ProbeReport): void => {
    if (report.type === 'started') started = true;
    else if (report.type === 'rehearsed') resolve({ error: null, reusable: true });
    else end(report.error);
  };
  const onError = (error: Error): void => end(error.message);
  const onExit = (): void => end('its thread ended');
  const timer = setTimeout(() => end(`it took longer than ${patienceMs} ms`), patienceMs);
  worker.on('message', onMessage).on('error', onError).on('exit', onExit);
  worker.postMessage(revision);
  const verdict = await promise;
  clearTimeout(timer);
  worker.off('message', onMessage).off('error', onError).off('exit', onExit);
  return verdict;
}
