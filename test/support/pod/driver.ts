/** Pods that run a list of calls and end, for tests of the linker: in this process, or by WasmEdge. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import wabt from 'wabt';
import { linkPod } from '../../../src/pods/link/link.ts';

export interface DrivenCall {
  /** Argument of `alloc`. */
  readonly func: number;
  readonly first: number;
  readonly second: number;
  /** The state is put back after it. */
  readonly isLast: boolean;
}

export interface Outcome {
  /** As guest.status() of the seam: 0 fine, 1 trapped, 2 budget used up. */
  readonly status: number;
  readonly result: bigint;
}

const toolkit = await wabt();
const FEATURES = {
  tail_call: true,
  exceptions: true,
  multi_memory: true,
  simd: true,
  bulk_memory: true,
  extended_const: true,
};

export function assembleText(text: string): Uint8Array<ArrayBuffer> {
  const module = toolkit.parseWat('module.wat', text, FEATURES as never);
  try {
    module.resolveNames();
    return new Uint8Array(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}

export const driver = assembleText(readFileSync(join(import.meta.dirname, 'driver.wat'), 'utf8'));

export function linkDriven(
  guest: Uint8Array,
  calls: readonly DrivenCall[],
  memoryBytes = 2 ** 22,
): Uint8Array<ArrayBuffer> {
  const words = calls.flatMap(({ func, first, second, isLast }) => [func, first, second, Number(isLast)]);
  const settings = new Uint8Array(Int32Array.of(calls.length, ...words).buffer);
  return linkPod(guest, driver, { memoryBytes, arenaBytes: 65_536, settings });
}

/** What initialisation and then every call came to. */
export function runHere(pod: Uint8Array<ArrayBuffer>): Outcome[] {
  const output: Buffer[] = [];
  const instance = new WebAssembly.Instance(new WebAssembly.Module(pod), {
    wasi_snapshot_preview1: {
      fd_write: (_: number, vector: number) => {
        const bytes = Buffer.from((instance.exports['memory'] as WebAssembly.Memory).buffer);
        const at = bytes.readUInt32LE(vector);
        output.push(Buffer.from(bytes.subarray(at, at + bytes.readUInt32LE(vector + 4))));
        return 0;
      },
    },
  });
  (instance.exports['_start'] as () => void)();
  return outcomes(Buffer.concat(output));
}

/** The same by WasmEdge, from a file that this writes. Throws when the process ends otherwise than by itself. */
export function runInWasmEdge(wasmedge: string, pod: Uint8Array, folder: string): Outcome[] {
  const file = join(folder, 'pod.wasm');
  writeFileSync(file, pod);
  const { status, signal, stdout, stderr } = spawnSync(wasmedge, [file], { timeout: 60_000 });
  if (status !== 0)
    throw new Error(`WasmEdge ended with ${status ?? signal}: ${stdout.subarray(-400)}${stderr}`);
  return outcomes(stdout);
}

function outcomes(output: Buffer): Outcome[] {
  return Array.from({ length: output.length / 12 }, (_, number) => ({
    status: output.readInt32LE(number * 12),
    result: output.readBigUInt64LE(number * 12 + 4),
  }));
}
