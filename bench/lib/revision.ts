import type { RevisionSpec } from '../../src/model/function.ts';
import { inspect } from '../../src/runtime/prepare/inspect.ts';
import { prepare } from '../../src/runtime/prepare/prepare.ts';

/** A module as the data plane gets it, with the limits of a default configuration; for measurements below the gateway. */
export function revisionOf(name: string, wasm: Uint8Array<ArrayBuffer>): RevisionSpec {
  const memoryBytes = 64 * 2 ** 20;
  const prepared = prepare(wasm, { memoryBytes });
  return {
    id: `${name}-1`,
    function: name,
    number: 1,
    digest: 'sha256:',
    kind: inspect(wasm).kind,
    module: new WebAssembly.Module(prepared.wasm),
    prepared: prepared.info,
    env: {},
    limits: {
      memoryBytes,
      cpuBudgetMs: 3000,
      cpuMillicores: 100,
      requestTimeoutMs: 30_000,
      maxRequestBodyBytes: 2 ** 20,
      maxResponseBodyBytes: 4 * 2 ** 20,
      maxConcurrentRequests: 1000,
      queueSize: 10_000,
      queueTimeoutMs: 30_000,
    },
  };
}
