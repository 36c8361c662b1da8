/** From the state to what a snapshot is made of: every function that serves, with its routes and its modules ready to run. */
import type { ArtifactStore } from '../artifacts/store.ts';
import { MayflyError } from '../model/errors.ts';
import { routesUnder, slowMsUnder, type Blueprint } from './blueprint.ts';
import { loadRevision, type Toolchain } from './deploy.ts';
import type { Served } from './desired.ts';
import type { ModuleShelf } from './modules.ts';
import { noSuchRevision, type FunctionRecord, type Revision } from './records.ts';
import { isUnderWay } from './rollouts.ts';
import type { State } from './state.ts';

export interface ServingOptions {
  readonly state: State;
  readonly store: ArtifactStore;
  readonly shelf: ModuleShelf;
  readonly tools: Toolchain;
}

export interface Serving {
  readonly served: readonly Served[];
  /** Functions that had to be left out, and why. */
  readonly lost: readonly string[];
}

/** A function whose artifact is lost must not keep the others from being served: it is left out, and said so. */
export async function loadServing(blueprint: Blueprint, options: ServingOptions): Promise<Serving> {
  const served: Served[] = [];
  const lost: string[] = [];
  for (const record of options.state.functions()) {
    try {
      const routes = routesUnder(blueprint, record);
      const rollout = options.state.rollouts.of(record.name);
      const slowMs = isUnderWay(rollout) ? rollout.plan.maxP99Ms : slowMsUnder(blueprint, record);
      served.push({ record, routes, slowMs, traffic: await loadTraffic(record, options) });
    } catch (error) {
      if (!(error instanceof MayflyError)) throw error;
      lost.push(`The function ${record.name} is not served: ${error.message}`);
    }
  }
  return { served, lost };
}

async function loadTraffic(record: FunctionRecord, options: ServingOptions): Promise<Served['traffic']> {
  const traffic: Served['traffic'][number][] = [];
  for (const { revision: number, weight } of record.traffic) {
    const revision = options.state.revision(record.name, number);
    if (revision === null) throw noSuchRevision(record.name, number);
    traffic.push({ revision, loaded: await ensureLoaded(revision, options), weight });
  }
  return traffic;
}

/** From the shelf, or else from its artifact. */
export async function ensureLoaded(revision: Revision, { store, shelf, tools }: ServingOptions) {
  const known = shelf.get(revision);
  if (known !== undefined) return known;
  const loaded = await loadRevision(revision, await store.get(revision.digest), tools);
  shelf.put(revision, loaded);
  return loaded;
}
