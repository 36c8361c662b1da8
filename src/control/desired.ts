/**
 * What should be true, as pure functions: what a new configuration file changes about the functions (`reconcile`), and the
 * snapshot that the data plane should have (`desired`).
 *
 * A function named in the file is owned by the file. An admin deploy of it makes a new revision, and that one (or what a
 * rollback or promote made of it) stays in force, over restarts too, until the file's own code, limits or env change: then
 * the file's version becomes the newest revision and takes all traffic. Its routes always are those of the file.
 */
import type { FunctionSpec, RevisionSpec } from '../model/function.ts';
import type { RouteSpec } from '../model/route.ts';
import type { PolicySpec, Snapshot } from '../model/snapshot.ts';
import { isImageSource } from '../model/code-source.ts';
import type { LoadedModule } from './modules.ts';
import { revisionId, type FunctionRecord, type Revision } from './records.ts';
import type { Tracks } from './tracks.ts';

/** A function of the file after its build: what it is called and what the file wants it to be. */
export interface Declared {
  readonly name: string;
  /** `revisionKey` of the file's code and configuration. */
  readonly key: string;
}

export interface Reconciliation {
  readonly deploy: readonly string[];
  readonly remove: readonly string[];
}

/** What must happen to the functions in the state so that they follow the file. Functions of the admin API are left alone. */
export function reconcile(
  declared: readonly Declared[],
  functions: readonly FunctionRecord[],
): Reconciliation {
  const known = new Map(functions.map((record) => [record.name, record]));
  const named = new Set(declared.map(({ name }) => name));
  return {
    deploy: declared.filter(({ name, key }) => known.get(name)?.fileKey !== key).map(({ name }) => name),
    remove: functions
      .filter((record) => record.owner === 'file' && !named.has(record.name))
      .map((record) => record.name),
  };
}

/** All of a snapshot but its functions and their routes: what the configuration, the policies and the key set give. */
export type Foundation = Omit<Snapshot, 'version' | 'routes' | 'functions'>;

/** A function of the state with all that the snapshot needs of it. */
export interface Served {
  readonly record: FunctionRecord;
  readonly routes: readonly RouteSpec[];
  /** Requests that take longer are counted as slow; null: none are. */
  readonly slowMs: number | null;
  readonly traffic: readonly {
    readonly revision: Revision;
    readonly loaded: LoadedModule;
    readonly weight: number;
  }[];
}

export interface Desired {
  readonly snapshot: Snapshot;
  /** What could not be served as wished, for the log and the status. */
  readonly warnings: readonly string[];
}

/** The snapshot for these functions. Where two functions want one route, the file's wins, then the older name in order. */
export function desired(
  version: number,
  foundation: Foundation,
  served: readonly Served[],
  tracksOf: (name: string) => Tracks,
): Desired {
  const fileFirst = served.toSorted(
    (a, b) => Number(b.record.owner === 'file') - Number(a.record.owner === 'file'),
  );
  const warnings: string[] = [];
  const routes: RouteSpec[] = [];
  for (const { record, routes: wanted } of fileFirst) {
    for (const route of wanted) {
      const rival = conflict(route, routes);
      if (rival === null) routes.push(route);
      else {
        warnings.push(
          `The route ${route.path} of ${record.name} is not served: ${rival.function} has it already.`,
        );
      }
    }
  }
  for (const route of routes) {
    if (!asksMissingRule(route, foundation.policies)) continue;
    warnings.push(
      `The route ${route.path} of ${route.function} is denied to all: the policy lacks its rule.`,
    );
  }
  const functions = served.map((item) => toFunctionSpec(item, tracksOf(item.record.name)));
  return { snapshot: { ...foundation, version, routes, functions }, warnings };
}

/** The route among `routes` of another function that would answer some of the same requests with the same precedence. */
export function conflict(route: RouteSpec, routes: readonly RouteSpec[]): RouteSpec | null {
  const overlaps = (other: RouteSpec) =>
    other.function !== route.function &&
    other.host === route.host &&
    other.path === route.path &&
    (other.methods === null ||
      route.methods === null ||
      route.methods.some((method) => other.methods?.includes(method)));
  return routes.find(overlaps) ?? null;
}

/** A running OPA is asked by name; what is compiled here answers only for its entrypoints. */
export function asksMissingRule({ policy }: RouteSpec, policies: readonly PolicySpec[]): boolean {
  if (policy === null) return false;
  const spec = policies.find(({ id }) => id === policy.policy);
  return spec === undefined || (spec.opaUrl === null && !spec.entrypoints.includes(policy.entrypoint));
}

function toFunctionSpec({ record, traffic, slowMs }: Served, tracks: Tracks): FunctionSpec {
  return {
    name: record.name,
    slot: record.slot,
    slowMs,
    traffic: traffic.map(({ revision, loaded, weight }) => ({
      revision: toRevisionSpec(revision, loaded),
      weight,
      track: tracks.indexOf(revision.number),
      origin: originOf(revision),
    })),
  };
}

/** The digest by which a revision is known elsewhere too. */
function originOf({ source, digest }: Revision): string {
  return isImageSource(source) ? source.slice(source.lastIndexOf('@') + 1) : digest;
}

function toRevisionSpec(revision: Revision, loaded: LoadedModule): RevisionSpec {
  return {
    id: revisionId(revision),
    function: revision.function,
    number: revision.number,
    digest: revision.digest,
    kind: revision.kind,
    module: loaded.module,
    prepared: loaded.prepared,
    limits: revision.configuration.limits,
    env: revision.configuration.env,
    upstream: revision.configuration.upstream,
  };
}
