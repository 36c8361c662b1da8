/** A revision as the control plane makes it, without the control plane. */
import wabtModule from 'wabt';
import type { Kind, Limits, RevisionSpec } from '../../src/model/function.ts';
import { prepare } from '../../src/runtime/prepare/prepare.ts';

const LIMITS: Limits = {
  memoryBytes: 16 * 2 ** 20,
  cpuBudgetMs: 1000,
  cpuMillicores: 100,
  requestTimeoutMs: 30_000,
  maxRequestBodyBytes: 2 ** 20,
  maxResponseBodyBytes: 2 ** 20,
  maxConcurrentRequests: 100,
  queueSize: 100,
  queueTimeoutMs: 1000,
};

export function revisionOf(wasm: Uint8Array, kind: Kind = 'handler', id = 'f-1'): RevisionSpec {
  const prepared = prepare(wasm, { memoryBytes: LIMITS.memoryBytes });
  const module = new WebAssembly.Module(prepared.wasm);
  return {
    id,
    function: 'f',
    number: 1,
    digest: '',
    kind,
    module,
    prepared: prepared.info,
    limits: LIMITS,
    env: {},
  };
}

/** A handler: answers 200 without headers and with the body `body`, unless `handle` says something else. */
export async function handlerRevision(
  parts: {
    readonly fields?: string;
    readonly handle?: string;
    readonly body?: string;
    readonly id?: string;
  } = {},
): Promise<RevisionSpec> {
  const { fields = '', body = '', id } = parts;
  const frame = [1, 0, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0, body.length, 0, 0, 0];
  const bytes = frame.map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
  const handle = parts.handle ?? `i64.const ${(0x100n << 32n) | BigInt(16 + body.length)}`;
  const wabt = await wabtModule();
  const module = wabt.parseWat(
    'f.wat',
    `(module ${fields} (memory (export "memory") 2) (data (i32.const 0x100) "${bytes}${body}")
       (func (export "alloc") (param i32) (result i32) i32.const 0x10000)
       (func (export "handle") (param i32 i32) (result i64) ${handle}))`,
  );
  const wasm = Uint8Array.from(module.toBinary({}).buffer);
  module.destroy();
  return revisionOf(wasm, 'handler', id);
}
