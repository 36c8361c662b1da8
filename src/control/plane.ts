/**
 * The control plane proper: every change to functions goes through here, one after the other. A change is: make sure that it
 * can work (nothing touched yet) → write it down in one transaction → give the data plane the new snapshot and wait until all
 * threads answer by it. Requests in flight finish on the revision that they began with.
 */
import { digestOf } from '../artifacts/digest.ts';
import type { ArtifactStore } from '../artifacts/store.ts';
import { MayflyError } from '../model/errors.ts';
import type { RouteSpec } from '../model/route.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { provideRules, routesUnder, type Blueprint, type Settled } from './blueprint.ts';
import {
  describeSource,
  inStep,
  makeCandidate,
  readSource,
  type Candidate,
  type CandidateOrder,
  type Source,
  type Toolchain,
} from './deploy.ts';
import { asksMissingRule, conflict, desired, reconcile, type Foundation } from './desired.ts';
import { createModuleShelf } from './modules.ts';
import {
  noSuchFunction,
  noSuchRevision,
  revisionKey,
  type FunctionRecord,
  type Revision,
} from './records.ts';
import { createSerial } from './serial.ts';
import { ensureLoaded, loadServing } from './serving.ts';
import type { State } from './state.ts';
import { promote, rollback, type Traffic } from './traffic.ts';

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
  /** Replaces what is not functions, such as the key set. Before the first `follow` there is nothing to replace. */
  refound(change: (foundation: Foundation) => Foundation): Promise<void>;
  deploy(order: DeployOrder): Promise<DeployOutcome>;
  promote(name: string, revision: number, percent: number, actor: string): Promise<Traffic>;
  rollback(name: string, revision: number | undefined, actor: string): Promise<Traffic>;
  remove(name: string, actor: string): Promise<void>;
  /** Routes of a function; empty when its settings do not fit the file any more (`warnings` says so). */
  routes(name: string): readonly RouteSpec[];
  readonly snapshot: Snapshot;
  /** What could not be served as wished. */
  readonly warnings: readonly string[];
}

export interface ControlPlaneOptions {
  readonly state: State;
  readonly store: ArtifactStore;
  readonly tools: Toolchain;
  /** Resolves when every data-plane thread answers by the snapshot. */
  readonly publish: (snapshot: Snapshot) => Promise<void>;
  /** A function is gone from the data plane: its slot in the shared tables may be cleared. */
  readonly onRemoved?: (record: FunctionRecord) => void;
}

export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  const { state, store, tools, publish, onRemoved = () => {} } = options;
  const serial = createSerial();
  const shelf = createModuleShelf();
  const resources = { state, store, shelf, tools };
  let blueprint: Blueprint | null = null;
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

  const findRevision = (name: string, number: number): Revision => {
    const revision = state.revision(name, number);
    if (revision === null) throw noSuchRevision(name, number);
    return revision;
  };

  /** Gives the data plane what the state and this blueprint come to. From here on the blueprint is in force. */
  const publishDesired = async (plan: Blueprint): Promise<void> => {
    const { served, lost } = await loadServing(plan, resources);
    const next = desired((current?.version ?? 0) + 1, plan.foundation, served);
    blueprint = plan;
    current = next.snapshot;
    warnings = [...lost, ...next.warnings];
    await publish(next.snapshot);
    shelf.keepOnly(served.flatMap(({ traffic }) => traffic.map(({ revision }) => revision)));
    await store.collect(state.digests());
  };

  const keep = async (candidate: Candidate): Promise<void> => {
    await inStep(candidate.function, 'store', () => store.put(candidate.wasm));
    shelf.put(candidate, candidate.loaded);
  };

  const refuseTakenRoutes = (plan: Blueprint, name: string, routes: readonly RouteSpec[]): void => {
    const others = state.functions().filter((record) => record.name !== name);
    const taken = others.flatMap((record) => routesOf(plan, record));
    for (const route of routes) {
      const rival = conflict(route, taken);
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

  /** What the settings of an order come to. A function of the file takes new code, but its settings stay those of the file. */
  const settle = (order: DeployOrder): { settings: unknown; settled: Settled } => {
    const { function: name } = order;
    const plan = inForce();
    const record = state.function(name);
    const declared = plan.functions.find((item) => item.name === name);
    if (record?.owner === 'file' && declared !== undefined) {
      if (order.settings === null) return { settings: null, settled: declared };
      throw new MayflyError(`Cannot change the settings of ${JSON.stringify(name)}: the file owns them`, {
        fix: 'Change them in mayfly.yaml; it is read again by itself.',
        exitCode: 2,
        code: 'owned-by-file',
      });
    }
    const settings = order.settings ?? record?.settings ?? null;
    return { settings, settled: plan.settle(name, settings) };
  };

  const readCode = async (order: DeployOrder): Promise<Pick<CandidateOrder, 'wasm' | 'source'>> => {
    if (order.source !== null) {
      const wasm = await readSource(order.function, order.source, tools, inForce().trust);
      return { wasm, source: describeSource(order.source) };
    }
    const { name, traffic } = find(order.function);
    const newest = findRevision(name, Math.max(...traffic.map((share) => share.revision)));
    return { wasm: await store.get(newest.digest), source: newest.source };
  };

  const write = (
    candidate: Candidate,
    about: { owner: 'file' | 'api'; settings: unknown; actor: string; percent: number },
  ) => {
    const { digest, kind, configuration, source, wasm } = candidate;
    const { owner, settings, actor } = about;
    const code = { digest, kind, configuration, source, bytes: wasm.length };
    const route = (traffic: Traffic, revision: number) => promote(traffic, revision, about.percent);
    return state.deploy({ function: candidate.function, ...code, owner, settings, actor, route });
  };

  const reroute = (
    name: string,
    action: 'promote' | 'rollback',
    actor: string,
    decide: (traffic: Traffic) => Traffic,
  ): Promise<Traffic> =>
    serial(async () => {
      const traffic = decide(find(name).traffic);
      // An artifact that is lost must be found out before anybody is sent there.
      for (const { revision } of traffic) await ensureLoaded(findRevision(name, revision), resources);
      state.setTraffic(name, traffic, action, actor);
      await publishDesired(inForce());
      return traffic;
    });

  return {
    async follow(next) {
      // Everything that can fail happens first, without the lock and without a trace: builds take seconds.
      const built = new Map<string, CandidateOrder>();
      for (const { name, source, configuration } of next.functions) {
        const wasm = await readSource(name, source, tools, next.trust);
        built.set(name, { function: name, wasm, configuration, source: describeSource(source) });
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
        for (const candidate of candidates) await keep(candidate);
        const gone = todo.remove.map(find);
        state.together(() => {
          for (const { name } of gone) state.remove(name, 'file');
          for (const candidate of candidates) {
            write(candidate, { owner: 'file', settings: null, actor: 'file', percent: 100 });
          }
        });
        await publishDesired(await withOwnRules(next, state.functions()));
        gone.forEach(onRemoved);
        return { deployed: todo.deploy, removed: todo.remove, warnings };
      });
    },

    refound: (change) =>
      serial(async () => {
        if (blueprint === null) return;
        await publishDesired({ ...blueprint, foundation: change(blueprint.foundation) });
      }),

    async deploy(order) {
      const { function: name, actor, percent } = order;
      const early = settle(order);
      refuseTakenRoutes(inForce(), name, early.settled.routes);
      const code = await readCode(order);
      const { configuration } = early.settled;
      const candidate = await makeCandidate({ function: name, configuration, ...code }, tools, shelf);
      return serial(async () => {
        // Somebody may have been faster while the candidate was made: what was true must still be.
        const { settings, settled } = settle(order);
        refuseTakenRoutes(inForce(), name, settled.routes);
        const plan = await provideRules(inForce(), settled.routes);
        refuseMissingRules(plan, name, settled.routes);
        await keep(candidate);
        const outcome = await inStep(name, 'revision', () =>
          write(candidate, { owner: 'api', settings, actor, percent }),
        );
        await inStep(name, 'publish', () => publishDesired(plan));
        return { ...outcome, traffic: find(name).traffic };
      });
    },

    promote: (name, revision, percent, actor) =>
      reroute(name, 'promote', actor, (traffic) => promote(traffic, revision, percent)),

    rollback: (name, revision, actor) =>
      reroute(name, 'rollback', actor, (traffic) => {
        const numbers = state.revisions(name).map(({ number }) => number);
        return rollback(traffic, numbers, revision);
      }),

    remove: (name, actor) =>
      serial(async () => {
        const record = find(name);
        if (record.owner === 'file') {
          throw new MayflyError(`Cannot remove ${JSON.stringify(name)}: the file owns it`, {
            fix: 'Take it out of mayfly.yaml; it is read again by itself.',
            exitCode: 2,
            code: 'owned-by-file',
          });
        }
        state.remove(name, actor);
        await publishDesired(inForce());
        onRemoved(record);
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

/** A function whose settings do not fit the file any more has no routes that could be in the way. */
function routesOf(plan: Blueprint, record: FunctionRecord): readonly RouteSpec[] {
  try {
    return routesUnder(plan, record);
  } catch (error) {
    if (error instanceof MayflyError) return [];
    throw error;
  }
}

/** With the rules that functions of the admin API ask. One that is gone from the new policy is a warning, not an end (`desired`). */
async function withOwnRules(plan: Blueprint, functions: readonly FunctionRecord[]): Promise<Blueprint> {
  let provided = plan;
  for (const record of functions) {
    try {
      provided = await provideRules(provided, routesOf(provided, record));
    } catch (error) {
      if (!(error instanceof MayflyError)) throw error;
    }
  }
  return provided;
}

function refuseMissingRules(plan: Blueprint, name: string, routes: readonly RouteSpec[]): void {
  const missing = routes.find((route) => asksMissingRule(route, plan.foundation.policies))?.policy;
  if (missing == null) return;
  const rule = `data.${missing.entrypoint.replaceAll('/', '.')}`;
  throw new MayflyError(`Cannot route to ${JSON.stringify(name)}: the policy has no rule ${rule}`, {
    fix: 'Name a rule of the files in `policy.files`, or `policy: false`.',
    exitCode: 2,
    code: 'no-such-rule',
  });
}
