/** What tests of pods are made of, compiled once and kept in the clone's own `.mayfly/build`. */
import { join } from 'node:path';
import { buildFunction } from '../../../src/build/build.ts';
import { podServer } from '../../../src/pods/adapter.ts';

export const ROOT = join(import.meta.dirname, '../../..');
const KEPT = join(ROOT, '.mayfly/build');

/** The server of a pod, not linked yet. */
export function builtAdapter(): Promise<Uint8Array> {
  return podServer(KEPT);
}

/** A function in AssemblyScript; `source` counts from the clone's root. */
export async function builtFunction(source: string): Promise<Uint8Array> {
  return (await buildFunction({ source: join(ROOT, source), cache: KEPT })).wasm;
}
