/**
 * The control plane proper: every change to functions goes through here, one after the other. A change is: make sure that it
 * can work (nothing touched yet) → write it down in one transaction → give the data plane the new snapshot and wait until all
 * threads answer by it. Requests in flight finish on the revision that they began with.
 */
import type { ArtifactStore } from '../artifacts/store.ts';
import { type Clock, systemClock } from '../model/clock.ts';
import { MayflyError } from '../model/errors.ts';
import type { RouteSpec } from '../model/route.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { RolloutPlan } from '../rollout/plan.ts';
import { provideRules, type Blueprint, type Settled } from './blueprint.ts';
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
import { desired, reconcile, type Foundation, type Served } from './desired.ts';
import { buildDeclared, keyOf, sameRevision, type BuiltFunction } from './declared.ts';
import { createModuleShelf } from './modules.ts';
import { noSuchFunction, noSuchRevision, type FunctionRecord, type Revision } from './records.ts';
import { refuseMissingRules, refuseTakenRoutes, routesOf, withOwnRules } from './route-checks.ts';
import { createSerial } from './serial.ts';
import { ensureLoaded, loadServing } from './serving.ts';
import type { State } from './state.ts';
import { overruled, planDeploy, type RolloutRecord, type Shift } from './rollouts.ts';
import { assignTracks, NO_TRACKS, type Tracks } from './tracks.ts';
import { promote, rollback, type Traffic } from './traffic.ts';

export interface DeployOrder {
  readonly function: string;
  /** null: the code stays, the settings change. */
  readonly source: Source | null;
  /** Routes, limits and env as the caller wrote them; null: as they are, or the defaults for a new function. */
  readonly settings: unknown;
  /** Share of the traffic that the new revision gets; null: as its rollout has it, or all. */
  readonly percent: number | null;
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
  /** One change of who gets what, decided by what is so when its turn comes; null: nothing changes after all. */
  shift(
    name: string,
    actor: string,
    decide: (record: FunctionRecord, rollout: RolloutRecord | null) => Shift | null,
  ): Promise<Traffic>;
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
  /** A revision gets this track of its function: what is counted there is another one's. */
  readonly onTrack?: (slot: number, track: number) => void;
  readonly clock?: Clock;
}

export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  const { state, store, tools, publish, onRemoved = () => {}, onTrack = () => {} } = options;
  const { clock = systemClock } = options;
  const tracks = new Map<string, Tracks>();
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

  const giveTracks = ({ record, traffic }: Served): void => {
    const before = tracks.get(record.name) ?? NO_TRACKS;
    const after = assignTracks(
      before,
      traffic.map(({ revision }) => revision.number),
    );
    tracks.set(record.name, after);
    after.forEach((number, track) => {
      if (number !== null && number !== before[track]) onTrack(record.slot, track);
    });
  };

  /** Gives the data plane what the state and this blueprint come to. From here on the blueprint is in force. */
  const publishDesired = async (plan: Blueprint): Promise<void> => {
    const { served, lost } = await loadServing(plan, resources);
    served.forEach(giveTracks);
    const tracksOf = (name: string) => tracks.get(name) ?? NO_TRACKS;
    const next = desired((current?.version ?? 0) + 1, plan.foundation, served, tracksOf);
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

  const refuseTaken = (plan: Blueprint, name: string, routes: readonly RouteSpec[]): void =>
    refuseTakenRoutes(
      plan,
      name,
      routes,
      state.functions().filter((record) => record.name !== name),
    );

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
    about: {
      owner: 'file' | 'api';
      settings: unknown;
      actor: string;
      percent: number | null;
      plan: RolloutPlan | null;
      fileKey?: string;
    },
  ) =>
    state.together(() => {
      const { digest, kind, configuration, source, wasm, function: name } = candidate;
      const { plan, percent, ...order } = about;
      const code = { digest, kind, configuration, source, bytes: wasm.length };
      let rollout: RolloutRecord | null = null;
      const route = (before: Traffic, revision: number) => {
        const turn = { function: name, before, revision, plan, percent, now: clock.now() };
        const planned = planDeploy({ ...turn, rollout: state.rollouts.of(name) });
        ({ rollout } = planned);
        return planned.traffic;
      };
      const outcome = state.deploy({ function: name, ...code, ...order, route });
      if (rollout !== null) state.rollouts.write(rollout);
      return outcome;
    });

  const shift: ControlPlane['shift'] = (name, actor, decide) =>
    serial(async () => {
      const record = find(name);
      const change = decide(record, state.rollouts.of(name));
      if (change === null) return record.traffic;
      const { traffic, rollout, action, reason } = change;
      // An artifact that is lost must be found out before anybody is sent there.
      for (const { revision } of traffic ?? []) await ensureLoaded(findRevision(name, revision), resources);
      state.together(() => {
        state.setTraffic(name, traffic, action, actor, reason);
        if (rollout !== null) state.rollouts.write(rollout);
      });
      if (traffic !== null) await publishDesired(inForce());
      return traffic ?? record.traffic;
    });

  /** Somebody sets the traffic: a rollout under way has no say any more. */
  const reroute = (
    name: string,
    action: 'promote' | 'rollback',
    actor: string,
    decide: (traffic: Traffic) => Traffic,
  ): Promise<Traffic> =>
    shift(name, actor, (record, rollout) => {
      const traffic = decide(record.traffic);
      return { traffic, action, rollout: overruled(rollout, clock.now()), reason: null };
    });

  return {
    async follow(next) {
      // Everything that can fail happens first, without the lock and without a trace: builds take seconds.
      const built = new Map<string, BuiltFunction>();
      for (const item of next.functions) built.set(item.name, await buildDeclared(item, tools, next.trust));
      const declared = [...built].map(([name, { fileKey }]) => ({ name, key: fileKey }));
      const todo = reconcile(declared, state.functions());
      const ready: { readonly main: Candidate; readonly canary: Candidate | null; of: BuiltFunction }[] = [];
      for (const name of todo.deploy) {
        const of = built.get(name) as BuiltFunction;
        const main = await makeCandidate(of.main, tools, shelf);
        ready.push({ main, canary: of.canary && (await makeCandidate(of.canary, tools, shelf)), of });
      }
      return serial(async () => {
        // Unchanged artifacts are put too: that heals a damaged file from the source that is at hand.
        for (const { main, canary } of built.values()) {
          await store.put(main.wasm);
          if (canary !== null) await store.put(canary.wasm);
        }
        for (const { main, canary } of ready) {
          await keep(main);
          if (canary !== null) await keep(canary);
        }
        const gone = todo.remove.map(find);
        state.together(() => {
          for (const { name } of gone) state.remove(name, 'file');
          for (const { main, canary, of } of ready) {
            const about = { owner: 'file', settings: null, actor: 'file', fileKey: of.fileKey } as const;
            // The file's share of a canary is meant as it is written: nothing is rolled out beside it.
            const percent = canary === null ? null : 100;
            const { revision } = write(main, { ...about, percent, plan: of.plan });
            if (canary === null || sameRevision(canary, revision)) continue;
            write(canary, { ...about, percent: of.weight, plan: null });
          }
          // Another image with the same code changes nothing but by what name it is known. A function's own counts more.
          for (const { main, canary } of built.values())
            for (const order of [canary, main])
              if (order !== null) state.noteSource(order.function, keyOf(order), order.source);
        });
        await publishDesired(await withOwnRules(next, state.functions()));
        for (const record of gone) {
          tracks.delete(record.name);
          onRemoved(record);
        }
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
      refuseTaken(inForce(), name, early.settled.routes);
      const code = await readCode(order);
      const { configuration } = early.settled;
      const candidate = await makeCandidate({ function: name, configuration, ...code }, tools, shelf);
      return serial(async () => {
        // Somebody may have been faster while the candidate was made: what was true must still be.
        const { settings, settled } = settle(order);
        refuseTaken(inForce(), name, settled.routes);
        const plan = await provideRules(inForce(), settled.routes);
        refuseMissingRules(plan, name, settled.routes);
        await keep(candidate);
        const outcome = await inStep(name, 'revision', () =>
          write(candidate, { owner: 'api', settings, actor, percent, plan: settled.rollout }),
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

    shift,

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
        tracks.delete(name);
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
