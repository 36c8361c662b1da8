/** One thread of the scale question: makes its share of the instances when it is told to. */
import { parentPort, workerData } from 'node:worker_threads';
import type { RevisionSpec } from '../../src/model/function.ts';
import { Guests } from '../../src/runtime/guests.ts';
import { RuntimeThread } from '../../src/runtime/runtime-thread.ts';

export interface ScaleData {
  readonly epoch: WebAssembly.Memory;
  readonly revision: RevisionSpec;
  readonly instances: number;
  /** The module as it was before it was rewritten: then nothing of ours is in it but the loop. */
  readonly bare: WebAssembly.Module | null;
}

const { epoch, revision, instances, bare } = workerData as ScaleData;
const make = bare === null ? guestMaker() : bareMaker(bare);

parentPort?.once('message', () => {
  const made = Array.from({ length: instances }, make);
  parentPort?.postMessage({ live: made.length });
  // The instances stay until the thread is ended.
  parentPort?.once('message', () => made.length);
});
parentPort?.postMessage({ ready: true });

function guestMaker(): () => unknown {
  const guests = new Guests(new RuntimeThread(epoch));
  return () => guests.create(revision);
}

function bareMaker(module: WebAssembly.Module): () => unknown {
  const imports: Record<string, Record<string, () => number>> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module))
    (imports[from] ??= {})[name] = () => 0;
  return () => new WebAssembly.Instance(module, imports);
}
