/** A control plane in a temporary folder, with a toolchain that takes any WebAssembly as it is: for tests of control/. */
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openArtifactStore } from '../../src/artifacts/store.ts';
import type { Toolchain } from '../../src/control/deploy.ts';
import type { Foundation } from '../../src/control/desired.ts';
import type { Blueprint, Settled } from '../../src/control/blueprint.ts';
import { createControlPlane } from '../../src/control/plane.ts';
import type { FunctionRecord } from '../../src/control/records.ts';
import { openState } from '../../src/control/state.ts';
import { type Clock, systemClock } from '../../src/model/clock.ts';
import type { PathSource, ImageTrust } from '../../src/model/code-source.ts';
import type { Limits } from '../../src/model/function.ts';
import type { RouteSpec } from '../../src/model/route.ts';
import type { RolloutPlan } from '../../src/rollout/plan.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';

/** What images may do without: no signature, no certificates of our own, TLS everywhere. */
export const NO_TRUST_NEEDED: ImageTrust = { keyFiles: [], caFile: null, plainHttp: [] };

export const limits: Limits = {
  memoryBytes: 64 << 20,
  cpuBudgetMs: 50,
  cpuMillicores: 100,
  requestTimeoutMs: 30_000,
  maxRequestBodyBytes: 1 << 20,
  maxResponseBodyBytes: 1 << 20,
  maxConcurrentRequests: 1000,
  queueSize: 100,
  queueTimeoutMs: 1000,
};

export const foundation: Foundation = {
  http: {
    maxHeadBytes: 16_384,
    maxHeaders: 100,
    maxTargetBytes: 8192,
    timeoutMs: 30_000,
    maxConnections: 100,
    tls: null,
  },
  auth: null,
  policies: [],
  maxInstances: 100,
  decisionLog: null,
  traceRequests: false,
};

/** The smallest module with this text in it: different text, different digest. */
export function moduleOf(text: string): Uint8Array<ArrayBuffer> {
  const name = Buffer.from(text);
  if (name.length > 100) throw new Error('keep it short');
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0, name.length + 1, name.length, ...name]);
}

export function route(name: string, path: string): RouteSpec {
  return {
    id: `${name} ${path}`,
    function: name,
    host: null,
    path,
    methods: null,
    auth: 'public',
    rateLimit: null,
    policy: null,
  };
}

/** Settings `{ path?, env?, memoryBytes?, rollout? }`; the default path is `/<name>`. */
export function settle(name: string, settings: unknown): Settled {
  const given = (settings ?? {}) as {
    path?: string;
    env?: Record<string, string>;
    memoryBytes?: number;
    rollout?: RolloutPlan;
  };
  return {
    routes: [route(name, given.path ?? `/${name}`)],
    configuration: {
      limits: { ...limits, memoryBytes: given.memoryBytes ?? limits.memoryBytes },
      env: given.env ?? {},
    },
    rollout: given.rollout ?? null,
  };
}

export const plainTools: Toolchain = {
  build: ({ path }) => readFile(path),
  pull: () => Promise.reject(new Error('no registry here')),
  validate: () => ({ kind: 'handler' }),
  prepare: (wasm) => ({ wasm, info: {} }),
  probe: async () => {},
};

export function blueprint(functions: Blueprint['functions'] = []): Blueprint {
  return { foundation, functions, trust: NO_TRUST_NEEDED, settle };
}

export function pathSource(path: string): PathSource {
  return { type: 'path', path, build: null };
}

export function temporaryFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'mayfly-control-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Opens (again) what is in the folder. */
export async function openControl(
  folder: string,
  tools: Partial<Toolchain> = {},
  onRemoved: (record: FunctionRecord) => void = () => {},
  clock: Clock = systemClock,
) {
  const store = await openArtifactStore(join(folder, 'artifacts'));
  const state = openState(join(folder, 'state.db'), { clock });
  const published: Snapshot[] = [];
  const plane = createControlPlane({
    state,
    store,
    tools: { ...plainTools, ...tools },
    onRemoved,
    clock,
    publish: async (snapshot) => void published.push(snapshot),
  });
  return { store, state, plane, published, [Symbol.dispose]: () => state[Symbol.dispose]() };
}

/** `{ hello: { 1: 90, 2: 10 } }`: who gets what in a snapshot. */
export function trafficOf(snapshot: Snapshot): Record<string, Record<string, number>> {
  return Object.fromEntries(
    snapshot.functions.map((item) => [
      item.name,
      Object.fromEntries(item.traffic.map(({ revision, weight }) => [revision.number, weight])),
    ]),
  );
}
