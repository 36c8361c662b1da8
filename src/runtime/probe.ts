import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { MayflyError } from '../model/errors.ts';
import type { RevisionSpec } from '../model/function.ts';

export interface ProbeOrder {
  readonly epoch: WebAssembly.Memory;
  readonly revision: RevisionSpec;
}

export interface ProbeResult {
  /** Null: it starts. */
  readonly error: string | null;
}

/** Emitted JavaScript runs beside emitted JavaScript, sources beside sources. */
const THREAD = new URL(`./probe-thread${extname(import.meta.filename)}`, import.meta.url);
const PATIENCE_MS = 10_000;
/** A guest that fills its memory at start must not fill ours. */
const HEAP_MB = 128;

/**
 * Makes one instance of a revision on a thread of its own and throws it away: a module that traps, loops or runs out of
 * memory while it initialises is found out before it is deployed, not by its first request. Throws MayflyError.
 */
export async function probe(epoch: WebAssembly.Memory, revision: RevisionSpec): Promise<void> {
  const workerData: ProbeOrder = { epoch, revision };
  const worker = new Worker(THREAD, { workerData, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } });
  const { promise, resolve } = Promise.withResolvers<ProbeResult>();
  worker.once('message', resolve);
  worker.once('error', (error: Error) => resolve({ error: error.message }));
  worker.once('exit', () => resolve({ error: 'its thread ended' }));
  const timer = setTimeout(() => resolve({ error: `it took longer than ${PATIENCE_MS} ms` }), PATIENCE_MS);
  const { error } = await promise;
  clearTimeout(timer);
  await worker.terminate();
  if (error === null) return;
  throw new MayflyError(`the module does not start: ${error}`, {
    fix: 'Run its initialisation (start function, _initialize) on its own and see where it fails.',
    exitCode: 2,
    code: 'probe-failed',
  });
}
