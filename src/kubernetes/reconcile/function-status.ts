/** What the operator says of a Function: its conditions, its numbers, and an event when what it says changes. */
import type { KubeObject } from '../cluster/objects.ts';
import { type Condition, conditionsFrom, type Finding, type FunctionStatus } from '../resources/status.ts';
import { podLabels, ownerOf } from '../resources/owned.ts';
import type { Action } from './actions.ts';

/** Why nothing is done for a Function. */
export interface Obstacle {
  readonly reason: string;
  readonly message: string;
}

interface DeploymentStatus {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly conditions?: readonly { type: string; status: string; reason?: string; message?: string }[];
}

/** `wish`: how many pods there should be, or what keeps us from wishing anything. */
export function assess(deployment: KubeObject | undefined, wish: number | Obstacle): Finding[] {
  if (typeof wish !== 'number') {
    return [
      { type: 'Ready', status: 'False', ...wish },
      { type: 'Progressing', status: 'False', ...wish },
      { type: 'Degraded', status: 'True', ...wish },
    ];
  }
  const { available, current, others, stuck } = rollout(deployment);
  const settled = current === wish && others === 0 && available >= wish;
  const count = `${Math.min(available, wish)} of ${wish} pods answer`;
  return [readiness(available, wish, count), progress(settled, stuck, count), health(stuck)];
}

function readiness(available: number, pods: number, message: string): Finding {
  if (pods === 0)
    return { type: 'Ready', status: 'True', reason: 'ScaledToZero', message: 'No pods are wanted' };
  return available > 0
    ? { type: 'Ready', status: 'True', reason: 'Answering', message }
    : { type: 'Ready', status: 'False', reason: 'NoPods', message };
}

function progress(settled: boolean, stuck: string | null, message: string): Finding {
  const type = 'Progressing';
  if (settled) return { type, status: 'False', reason: 'Settled', message };
  if (stuck !== null) return { type, status: 'False', reason: 'Stuck', message };
  return { type, status: 'True', reason: 'RollingOut', message };
}

function health(stuck: string | null): Finding {
  const type = 'Degraded';
  if (stuck !== null) return { type, status: 'True', reason: 'Stuck', message: stuck };
  return {
    type,
    status: 'False',
    reason: 'AsWished',
    message: 'Nothing is in the way of what the spec says',
  };
}

interface Rollout {
  /** Pods that answer, of whichever spec. */
  readonly available: number;
  /** Pods of the current spec, and of earlier ones. */
  readonly current: number;
  readonly others: number;
  /** Why it does not go on; null while it does. */
  readonly stuck: string | null;
}

function rollout(deployment: KubeObject | undefined): Rollout {
  const status = (deployment?.['status'] ?? {}) as DeploymentStatus;
  const { availableReplicas: available = 0, updatedReplicas = 0, replicas = 0 } = status;
  // What the status says is of an earlier spec until the Deployment's controller has seen this one.
  const seen = (status.observedGeneration ?? 0) >= (deployment?.metadata.generation ?? 1);
  if (!seen) return { available, current: 0, others: replicas, stuck: null };
  const condition = status.conditions?.find(({ type }) => type === 'Progressing');
  const stuck = condition?.status === 'False' ? (condition.message ?? 'The rollout is stuck') : null;
  return { available, current: updatedReplicas, others: replicas - updatedReplicas, stuck };
}

/** Nothing when the status is there already. */
export function statusAction(
  object: KubeObject,
  findings: readonly Finding[],
  deployment: KubeObject | undefined,
  now: number,
): Action[] {
  const before = (object['status'] ?? {}) as FunctionStatus;
  const generation = object.metadata.generation ?? 0;
  const { replicas = 0, readyReplicas = 0 } = (deployment?.['status'] ?? {}) as DeploymentStatus;
  const selector = Object.entries(podLabels(ownerOf(object))).map(([key, value]) => `${key}=${value}`);
  const status: FunctionStatus = {
    observedGeneration: generation,
    replicas,
    readyReplicas,
    selector: selector.join(','),
    conditions: conditionsFrom(findings, before.conditions ?? [], generation, now),
  };
  if (isSame(status, before)) return [];
  return [{ do: 'status', object, status }, ...turn(object, before.conditions ?? [], findings)];
}

/** An event when Ready changes its status or its reason. */
function turn(object: KubeObject, before: readonly Condition[], findings: readonly Finding[]): Action[] {
  const known = before.find(({ type }) => type === 'Ready');
  const ready = findings.find(({ type }) => type === 'Ready') as Finding;
  if (known?.status === ready.status && known.reason === ready.reason) return [];
  const type = ready.status === 'True' || ready.reason === 'NoPods' ? 'Normal' : 'Warning';
  const { reason, message } = ready;
  return [{ do: 'event', about: object, event: { type, reason, message } }];
}

function isSame(status: FunctionStatus, before: FunctionStatus): boolean {
  return canonical(status) === canonical(before);
}

/** The API server gives mappings back in an order of its own. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
