/** What the operator does for one kind. The controller calls it; each kind has one. */
import type { KubeObject, Resource } from '../cluster/objects.ts';
import type { Action } from '../reconcile/actions.ts';

/** What is known of the cluster. It may be a moment old. */
export interface Known {
  get(kind: string, key: string): KubeObject | undefined;
  /** Of one namespace. */
  all(kind: string, namespace: string): readonly KubeObject[];
  /** The cluster has this kind. */
  serves(resource: Resource): boolean;
}

/** An object came, changed or went. One of the two is there. */
export interface Change {
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
}

/** Looks an object up by kind and name, in the namespace of the one that is kept; also where it is a stranger's. */
export type Find = (kind: string, name: string) => KubeObject | undefined;

export interface Keeper {
  readonly resource: Resource;
  /** Keys of objects of `resource` that have to be looked at because of this. */
  concerned(change: Change, known: Known): Iterable<string>;
  /** Learns what cannot be seen in the API. Asked before each decision. */
  prepare?(object: KubeObject, known: Known, signal: AbortSignal): Promise<void>;
  decide(object: KubeObject, find: Find, known: Known): Action[];
  /** The object is gone. */
  forget?(key: string): void;
}
