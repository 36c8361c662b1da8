/**
 * The control plane proper: every change to functions goes through here, one after the other. A change is: make sure that it
 * can work (nothing touched yet) → write it down in one transaction → give the data plane the new snapshot and wait until all
 * threads answer by it. Requests in flight finish on the revision that they began with.
 */
import type { ArtifactStore } from '../artifacts/store.ts';
import { digestOf } from '../artifacts/digest.ts';
import { MayflyError } from '../model/errors.ts';
import type { RouteSpec } from '../model/route.ts';
import type { Snapshot } from '../model/snapshot.ts';
import {
  describeSource,
  inStep,
  loadRevision,
  makeCandidate,
  readSource,
  type Candidate,
  type CandidateOrder,
  type PathSource,
  type Source,
  type Toolchain,
} from './deploy.ts';
import { conflict, desired, reconcile, type Foundation, type Served } from './desired.ts';
import { createModuleShelf } from './modules.ts';
import { createSerial } from './serial.ts';
import {
  noSuchFunction,
  noSuchRevision,
  revisionKey,
  type Configuration,
  type FunctionRecord,
  type Owner,
  type Revision,
  type State,
} from './state.ts';
import { promote, rollback, type Traffic } from './traffic.ts';

/** What a function's settings come to under the defaults of the file. */
export interface Settled {
  readonly routes: readonly RouteSpec[];
  readonly configuration: Configuration;
}

export interface BlueprintFunction extends Settled {
  readonly name: string;
  /** A `.wasm` file or a folder. */
  readonly path: string;
  readonly build: PathSource['build'];
}

/** The configuration file as the control plane needs it. */
export interface Blueprint {
  readonly foundation: Foundation;
  readonly functions: readonly BlueprintFunction[];
  /** Settles what the admin API was given for a function (null: nothing) with the defaults of the file. */
  settle(name: string, settings: unknown): Settled;
}

export interface DeployOrder {
  readonly function: string;
  /** null: the code stays, the settings change. */
  readonly source: Source | null;
  /** Routes, limits and env as the caller wrote them; null: as they are, or the defaults for a new function. */
  readonly settings: unknown;
  /** Share of the traffic that the new revision gets. */
  readonly percent: number;
  readonly actor: string;
}

export interface DeployOutcome {
  readonly revision: Revision;
  /** false: this code with this configuration was deployed before; that revision serves again. */
  readonly created: boolean;
  readonly traffic: Traffic;
}

export interface FollowReport {
  readonly deployed: readonly string[];
  readonly removed: readonly string[];
  readonly warnings: readonly string[];
}

export interface ControlPlane {
  /** Makes the functions follow the file, at start and at every reload. All or nothing: an error leaves all as it was. */
  follow(blueprint: Blueprint): Promise<FollowReport>;
  /** Replaces what is not functions: a new key set, a recompiled policy. */
  refound(change: (foundation: Foundation) => Foundation): Promise<void>;
  deploy(order: DeployOrder): Promise<DeployOutcome>;
  promote(name: string, revision: number, percent: number, actor: string): Promise<Traffic>;
  rollback(name: string, revision: number | undefined, actor: string): Promise<Traffic>;
  remove(name: string, actor: string): Promise<void>;
  /** Routes of a function as they are served. */
  routes(name: string): readonly RouteSpec[];
  readonly snapshot: Snapshot;
  readonly warnings: readonly string[];
}

export interface ControlPlaneOptions {
  readonly state: State;
  readonly store: ArtifactStore;
  readonly tools: Toolchain;
  /** Resolves when every data-plane thread answers by the snapshot. */
  readonly publish: (snapshot: Snapshot) => Promise<void>;
}

export function createControlPlane({ state, store, tools, publish }: ControlPlaneOptions): ControlPlane {
  const serial = createSerial();
  const shelf = createModuleShelf();
  let blueprint: Blueprint | null = null;
  let version = 0;
  let current: Snapshot | null = null;
  let warnings: readonly string[] = [];

  const inForce = (): Blueprint => {
    if (blueprint === null) throw new Error('follow() comes first');
    return blueprint;
  };

  const find = (name: string): FunctionRecord => {
    const record = state.function(name);
    if (record === null) throw noSuchFunction(name);
    return record;
  };

  const routesOf = (plan: Blueprint, record: FunctionRecord): readonly RouteSpec[] =>
    record.owner === 'file'
      ? (plan.functions.find(({ name }) => name === record.name)?.routes ?? [])
      : plan.settle(record.name, record.settings).routes;

  const serving = (record: FunctionRecord): { revision: Revision; weight: number }[] =>
    record.traffic.map(({ revision: number, weight }) => {
      const revision = state.revision(record.name, number);
      if (revision === null) throw noSuchRevision(record.name, number);
      return { revision, weight };
    });

  const ensureLoaded = async (revision: Revision): Promise<void> => {
    if (shelf.get(revision) !== undefined) return;
    shelf.put(revision, await loadRevision(revision, await store.get(revision.digest), tools));
  };

  /** A function whose artifact is lost must not keep the others from starting: it is left out, and said so. */
  const loadServing = async (plan: Blueprint): Promise<{ served: Served[]; lost: string[] }> => {
    const served: Served[] = [];
    const lost: string[] = [];
    for (const record of state.functions()) {
      try {
        const traffic: Served['traffic'][number][] = [];
        for (const { revision, weight } of serving(record)) {
          await ensureLoaded(revision);
          const loaded = shelf.get(revision);
          if (loaded !== undefined) traffic.push({ revision, loaded, weight });
        }
        served.push({ record, routes: routesOf(plan, record), traffic });
      } catch (error) {
        if (!(error instanceof MayflyError)) throw error;
        lost.push(`The function ${record.name} is not served: ${error.message}`);
      }
    }
    return { served, lost };
  };

  const publishDesired = async (plan: Blueprint): Promise<void> => {
    const { served, lost } = await loadServing(plan);
    const next = desired(version + 1, plan.foundation, served);
    version = next.snapshot.version;
    current = next.snapshot;
    warnings = [...lost, ...next.warnings];
    await publish(next.snapshot);
    shelf.keepOnly(served.flatMap(({ traffic }) => traffic.map(({ revision }) => revision)));
  };

  const storeCandidate = async (candidate: Candidate): Promise<void> => {
    await inStep(candidate.function, 'store', () => store.put(candidate.wasm));
    shelf.put(candidate, candidate.loaded);
  };

  const writeRevision = (
    candidate: Candidate,
    about: { owner: Owner; settings: unknown; actor: string; percent: number },
  ) =>
    state.deploy({
      function: candidate.function,
      owner: about.owner,
      settings: about.settings,
      digest: candidate.digest,
      bytes: candidate.wasm.length,
      kind: candidate.kind,
      configuration: candidate.configuration,
      source: candidate.source,
      actor: about.actor,
      route: (traffic, revision) => promote(traffic, revision, about.percent),
    });

  const refuseTakenRoutes = (plan: Blueprint, name: string, routes: readonly RouteSpec[]): void => {
    const others = state
      .functions()
      .filter((record) => record.name !== name)
      .flatMap((record) => routesOf(plan, record));
    for (const route of routes) {
      const rival = conflict(route, others);
      if (rival === null) continue;
      throw new MayflyError(
        `Cannot route ${route.path} to ${JSON.stringify(name)}: ${rival.function} has it`,
        {
          fix: `Choose another path or method, or remove ${rival.function}.`,
          exitCode: 2,
          code: 'route-taken',
        },
      );
    }
  };

  /** What a deploy through the API is to become, from what the caller wrote and what is there. */
  const plan = async (order: DeployOrder, record: FunctionRecord | null) => {
    const { function: name } = order;
    if (record?.owner === 'file' && order.settings !== null) {
      throw new MayflyError(`Cannot change the settings of ${JSON.stringify(name)}: the file owns them`, {
        fix: 'Change them in mayfly.yaml; it is read again by itself.',
        exitCode: 2,
        code: 'owned-by-file',
      });
    }
    const settings = order.settings ?? record?.settings ?? null;
    const declared = inForce().functions.find((item) => item.name === name);
    const settled =
      record?.owner === 'file' && declared !== undefined ? declared : inForce().settle(name, settings);
    return { settings, settled };
  };

  const codeOf = async (order: DeployOrder, record: FunctionRecord | null) => {
    if (order.source !== null) {
      return {
        wasm: await readSource(order.function, order.source, tools),
        source: describeSource(order.source),
      };
    }
    if (record === null) throw noSuchFunction(order.function);
    const newest = Math.max(...record.traffic.map((share) => share.revision));
    const revision = state.revision(order.function, newest) as Revision;
    return { wasm: await store.get(revision.digest), source: revision.source };
  };

  const reroute = (
    name: string,
    action: 'promote' | 'rollback',
    actor: string,
    decide: (record: FunctionRecord) => Traffic,
  ): Promise<Traffic> =>
    serial(async () => {
      const traffic = decide(find(name));
      for (const { revision: number } of traffic) {
        const revision = state.revision(name, number);
        if (revision === null) throw noSuchRevision(name, number);
        await ensureLoaded(revision);
      }
      state.setTraffic(name, traffic, action, actor);
      await publishDesired(inForce());
      return traffic;
    });

  return {
    async follow(next) {
      // Everything that can fail happens first, without the lock and without a trace: builds take seconds.
      const built = new Map<string, CandidateOrder>();
      for (const { name, path, build, configuration } of next.functions) {
        const wasm = await readSource(name, { type: 'path', path, build }, tools);
        built.set(name, { function: name, wasm, configuration, source: path });
      }
      const declared = [...built.values()].map(({ function: name, wasm, configuration }) => ({
        name,
        key: revisionKey(digestOf(wasm), configuration),
      }));
      const todo = reconcile(declared, state.functions());
      const candidates: Candidate[] = [];
      for (const name of todo.deploy) {
        candidates.push(await makeCandidate(built.get(name) as CandidateOrder, tools, shelf));
      }
      return serial(async () => {
        // Unchanged artifacts are put too: that heals a damaged file from the source that is at hand.
        for (const { wasm } of built.values()) await store.put(wasm);
        for (const candidate of candidates) await storeCandidate(candidate);
        state.together(() => {
          for (const name of todo.remove) state.remove(name, 'file');
          for (const candidate of candidates) {
            writeRevision(candidate, { owner: 'file', settings: null, actor: 'file', percent: 100 });
          }
        });
        blueprint = next;
        await publishDesired(next);
        await store.collect(state.digests());
        return { deployed: todo.deploy, removed: todo.remove, warnings };
      });
    },

    refound: (change) =>
      serial(async () => {
        const before = inForce();
        blueprint = { ...before, foundation: change(before.foundation) };
        await publishDesired(blueprint);
      }),

    async deploy(order) {
      const { function: name, actor, percent } = order;
      const { settled } = await plan(order, state.function(name));
      refuseTakenRoutes(inForce(), name, settled.routes);
      const code = await codeOf(order, state.function(name));
      const candidate = await makeCandidate(
        { function: name, configuration: settled.configuration, ...code },
        tools,
        shelf,
      );
      return serial(async () => {
        // Somebody may have been faster while the candidate was made: what was true must still be.
        const { settings, settled: now } = await plan(order, state.function(name));
        refuseTakenRoutes(inForce(), name, now.routes);
        await storeCandidate(candidate);
        const outcome = await inStep(name, 'revision', () =>
          writeRevision(candidate, { owner: 'api', settings, actor, percent }),
        );
        await inStep(name, 'publish', () => publishDesired(inForce()));
        await store.collect(state.digests());
        return { ...outcome, traffic: find(name).traffic };
      });
    },

    promote: (name, revision, percent, actor) =>
      reroute(name, 'promote', actor, ({ traffic }) => promote(traffic, revision, percent)),

    rollback: (name, revision, actor) =>
      reroute(name, 'rollback', actor, ({ traffic }) =>
        rollback(
          traffic,
          state.revisions(name).map(({ number }) => number),
          revision,
        ),
      ),

    remove: (name, actor) =>
      serial(async () => {
        if (find(name).owner === 'file') {
          throw new MayflyError(`Cannot remove ${JSON.stringify(name)}: the file owns it`, {
            fix: 'Take it out of mayfly.yaml; it is read again by itself.',
            exitCode: 2,
            code: 'owned-by-file',
          });
        }
        state.remove(name, actor);
        await publishDesired(inForce());
        await store.collect(state.digests());
      }),

    routes: (name) => routesOf(inForce(), find(name)),
    get snapshot() {
      if (current === null) throw new Error('follow() comes first');
      return current;
    },
    get warnings() {
      return warnings;
    },
  };
}
