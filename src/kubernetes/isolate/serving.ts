/** Which pods of a gateway serve what. Pure. */
import { hasCondition, type KubeObject } from '../cluster/objects.ts';

/** What a pod says of itself. */
export interface PodReport {
  /** Hash of the configuration that it serves. */
  readonly configuration: string;
  /** Hash of one that it could not use, and goes on without; null: there is none. */
  readonly refused: string | null;
}

export interface Serving {
  /** Pods that answer requests. */
  readonly pods: number;
  /** Of those, the ones that serve the configuration. */
  readonly current: number;
  /** Name of a pod that refuses it; null: none does. */
  readonly refusing: string | null;
}

export interface ServingQuestion {
  readonly pods: readonly KubeObject[];
  /** By uid of the pod; of some there is none. */
  readonly reports: ReadonlyMap<string, PodReport>;
  readonly hash: string;
}

export function servingOf({ pods, reports, hash }: ServingQuestion): Serving {
  const answering = pods.filter(isReady);
  const current = answering.filter((pod) => reportOf(pod, reports)?.configuration === hash);
  const refusing = pods.find((pod) => reportOf(pod, reports)?.refused === hash);
  return {
    pods: answering.length,
    current: current.length,
    refusing: refusing?.metadata.name ?? null,
  };
}

export function isSettled({ pods, current }: Serving): boolean {
  return pods > 0 && current === pods;
}

/** A pod that requests are sent to. */
export function isReady(pod: KubeObject): boolean {
  return hasCondition(pod, 'Ready') && pod.metadata.deletionTimestamp === undefined;
}

export function reportOf(pod: KubeObject, reports: ReadonlyMap<string, PodReport>): PodReport | undefined {
  return reports.get(pod.metadata.uid ?? '');
}
