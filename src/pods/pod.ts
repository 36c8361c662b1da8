/** From a function to the module that serves it by itself. */
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { digestOf } from '../artifacts/digest.ts';
import { storeError } from '../model/store-error.ts';
import { buildFunction } from '../build/build.ts';
import { writeWhole } from '../build/cache.ts';
import type { Kind } from '../model/function.ts';
import { podServer } from './adapter.ts';
import { compileAhead } from './ahead.ts';
import { linkPod } from './link/link.ts';
import type { PodPlan } from './plan.ts';
import { arenaBytes, encodePodSettings } from './settings.ts';

export interface BuiltPod {
  readonly name: string;
  readonly kind: Kind;
  /** Where it lies, absolute. */
  readonly path: string;
  readonly bytes: number;
  /** `sha256:<hex>`; the same input always gives the same plain pod. */
  readonly digest: string;
  readonly warnings: readonly string[];
}

export interface PodOutput {
  /** The file to write; default `.mayfly/pods/NAME.wasm`. */
  readonly out?: string | undefined;
  /** The wasmedge program that compiles it ahead of time; without it the pod is portable. */
  readonly wasmedge?: string | undefined;
}

/** Builds, links, and only then writes: the file is whole or not there. Throws what the steps throw, all MayflyError. */
export async function buildPod(plan: PodPlan, { out, wasmedge }: PodOutput): Promise<BuiltPod> {
  const { wasm: guest, kind, warnings } = await buildFunction(plan.build);
  const adapter = await podServer(join(plan.folder, 'build'));
  const plain = linkPod(guest, adapter, {
    memoryBytes: plan.memoryBytes,
    arenaBytes: arenaBytes(plan.settings),
    settings: encodePodSettings(plan.settings),
  });
  const pod = wasmedge === undefined ? plain : await compileAhead(wasmedge, plain);
  const suffix = wasmedge === undefined ? 'wasm' : 'aot.wasm';
  const path = resolve(out ?? join(plan.folder, 'pods', `${plan.name}.${suffix}`));
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeWhole(path, pod);
  } catch (error) {
    throw storeError('write the pod', path, error);
  }
  return { name: plan.name, kind, path, bytes: pod.length, digest: digestOf(pod), warnings };
}
