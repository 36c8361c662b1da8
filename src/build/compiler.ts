import { Worker } from 'node:worker_threads';
import { MayflyError } from '../model/errors.ts';
import type { Compilation, Recipe } from './compile.ts';

// The package holds emitted JavaScript; in a clone the sources run as they are.
const THREAD = import.meta.url.endsWith('.ts') ? './compiler-thread.ts' : './compiler-thread.js';

interface Pending {
  readonly resolve: (compilation: Compilation) => void;
  readonly reject: (error: Error) => void;
}

type Answer = { readonly id: number } & ({ readonly compilation: Compilation } | { readonly error: string });

/**
 * The AssemblyScript compiler in a thread of its own, started on first use. Later compilations are several times faster
 * than the first, so `mayfly dev` keeps one; everybody else disposes of it, for it holds much memory.
 */
export class Compiler implements AsyncDisposable {
  readonly recipe: Recipe;
  #worker: Worker | null = null;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  /** `quick` leaves optimising out (`mayfly dev`). */
  constructor(recipe: Recipe = 'function') {
    this.recipe = recipe;
  }

  async compile(file: string): Promise<Compilation> {
    const worker = (this.#worker ??= this.#start());
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Compilation>();
    this.#pending.set(id, { resolve, reject });
    worker.ref();
    worker.postMessage({ id, file, recipe: this.recipe });
    try {
      return await promise;
    } finally {
      this.#pending.delete(id);
      // An idle compiler does not keep the process alive.
      if (this.#pending.size === 0) worker.unref();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL(THREAD, import.meta.url));
    worker.on('message', (answer: Answer) => {
      const pending = this.#pending.get(answer.id);
      if ('compilation' in answer) pending?.resolve(answer.compilation);
      else pending?.reject(new MayflyError('Cannot build: the compiler failed', { fix: answer.error }));
    });
    const failAll = (reason: string): void => {
      if (this.#worker === worker) this.#worker = null;
      for (const { reject } of this.#pending.values()) {
        reject(new MayflyError('Cannot build: the compiler stopped', { fix: reason }));
      }
    };
    worker.on('error', (error) => failAll(error instanceof Error ? error.message : String(error)));
    worker.on('exit', (code) => failAll(`Its thread ended with code ${code}.`));
    return worker;
  }
}
