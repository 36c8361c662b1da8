/** What the operator says of a Function: its conditions, its numbers, and an event when what it says changes. */
import type { KubeObject } from '../cluster/objects.ts';
import type { Finding } from '../resources/status.ts';
import { podLabels, ownerOf } from '../resources/owned.ts';

/** Why nothing is done for a Function. */
export interface Obstacle {
  readonly reason: string;
  readonly message: string;
}

export const KEDA_MISSING: Obstacle = {
  reason: 'KedaMissing',
  message:
    'spec.scaling.prometheus and openRequests need KEDA, which this cluster does not have. Install it (keda.sh).',
};

export const GATEWAY_API_MISSING: Obstacle = {
  reason: 'GatewayApiMissing',
  message:
    'spec.httpRoute needs the Gateway API, which this cluster does not have. Install it (gateway-api.sigs.k8s.io) with a gateway that speaks it.',
};

export const HEALTHY: Finding = {
  type: 'Degraded',
  status: 'False',
  reason: 'AsWished',
  message: 'Nothing is in the way of what the spec says',
};

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
  if (stuck === null) return HEALTHY;
  return { type: 'Degraded', status: 'True', reason: 'Stuck', message: stuck };
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

/** What `kubectl scale` and autoscalers look at. */
export function podNumbers(object: KubeObject, ...deployments: (KubeObject | undefined)[]): PodNumbers {
  const of = deployments.map((deployment) => (deployment?.['status'] ?? {}) as DeploymentStatus);
  const replicas = of.reduce((sum, status) => sum + (status.replicas ?? 0), 0);
  const readyReplicas = of.reduce((sum, status) => sum + (status.readyReplicas ?? 0), 0);
  const selector = Object.entries(podLabels(ownerOf(object))).map(([key, value]) => `${key}=${value}`);
  return { replicas, readyReplicas, selector: selector.join(',') };
}

export interface PodNumbers {
  readonly replicas: number;
  readonly readyReplicas: number;
  readonly selector: string;
}
