/** The words of the control plane's memory: functions, their immutable revisions, and what happened to them. */
import { createHash } from 'node:crypto';
import { MayflyError } from '../model/errors.ts';
import type { Kind, Limits } from '../model/function.ts';
import type { UpstreamSpec } from '../model/upstream.ts';
import type { Traffic } from './traffic.ts';

/** Who decides about a function: the configuration file, or the admin API alone. */
export type Owner = 'file' | 'api';

/** What a revision fixes beside its artifact: limits and environment, settled at deploy. */
export interface Configuration {
  readonly limits: Limits;
  readonly env: Readonly<Record<string, string>>;
  /** Where the function runs, when that is not here. */
  readonly upstream?: UpstreamSpec;
}

export interface Revision {
  readonly function: string;
  /** Counts from 1 and is never used again, even after the function was removed. */
  readonly number: number;
  readonly digest: string;
  /** Size of the artifact. */
  readonly bytes: number;
  readonly kind: Kind;
  readonly configuration: Configuration;
  /** Where the code came from, for people: a path, `upload`. */
  readonly source: string;
  readonly createdAt: number;
  readonly createdBy: string;
}

export interface FunctionRecord {
  readonly name: string;
  readonly slot: number;
  readonly owner: Owner;
  /** What the admin API was given (routes, limits, env), as it was given; null for a function of the file. */
  readonly settings: unknown;
  /** Key of what the file deployed last (`revisionKey`); null when the file never did. */
  readonly fileKey: string | null;
  readonly traffic: Traffic;
}

export interface AuditEvent {
  readonly time: number;
  readonly actor: string;
  readonly action: 'deploy' | 'promote' | 'rollback' | 'rollout' | 'remove';
  readonly function: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** A deploy whose artifact is in the store, ready to become a revision. */
export interface DeployRecord {
  readonly function: string;
  readonly owner: Owner;
  readonly settings: unknown;
  readonly digest: string;
  readonly bytes: number;
  readonly kind: Kind;
  readonly configuration: Configuration;
  readonly source: string;
  readonly actor: string;
  /** Of what the file declares, where that is more than this revision. Default: key of this revision. */
  readonly fileKey?: string;
  /** Decides the new traffic from the old; of a new function the old is empty. */
  readonly route: (traffic: Traffic, revision: number) => Traffic;
}

/** What makes two deploys of a function the same: digest and configuration, whatever the order of its keys. */
export function revisionKey(digest: string, configuration: Configuration): string {
  return createHash('sha256')
    .update(`${digest}\n${JSON.stringify(sorted(configuration))}`)
    .digest('hex');
}

/** `hello-3`: the name of a revision in the data plane, in metrics and logs. */
export function revisionId(revision: Pick<Revision, 'function' | 'number'>): string {
  return `${revision.function}-${revision.number}`;
}

export function noSuchFunction(name: string): MayflyError {
  return new MayflyError(`There is no function ${JSON.stringify(name)}`, {
    fix: 'List them with `mayfly list`.',
    exitCode: 2,
    code: 'no-such-function',
  });
}

export function noSuchRevision(name: string, number: number): MayflyError {
  return new MayflyError(`There is no revision ${number} of ${JSON.stringify(name)}`, {
    fix: `List them with \`mayfly inspect ${name}\`.`,
    exitCode: 2,
    code: 'no-such-revision',
  });
}

/** The same value with the keys of every object in order, so that equal configurations have equal text. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
