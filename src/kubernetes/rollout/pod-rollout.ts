/** The rollout of a Function with pods of its own: what its status becomes, and which pods follow from it. Pure. */
import type { KubeObject } from '../cluster/objects.ts';
import { DEPLOYMENTS } from '../cluster/resources.ts';
import type { PodSpec } from '../resources/function.ts';
import type { FunctionStatus } from '../resources/status.ts';
import { availableIn, canaryPods, imageOf } from './canary-deployment.ts';
import { canaryCount, judgePods, stableCount } from './canary-pods.ts';
import { advance, planOf, type RolloutStatus, sharesOf } from './rollout-state.ts';

export interface ObservedPods {
  readonly function: KubeObject;
  readonly objects: Readonly<Partial<Record<string, KubeObject>>>;
  /** The Deployment of the new image, if it is there and ours. */
  readonly canary: KubeObject | undefined;
  readonly spec: PodSpec;
  /** How many there should be in all. */
  readonly pods: number;
}

export interface PodRollout {
  readonly status: RolloutStatus | undefined;
  readonly stable: string;
  readonly stablePods: number;
  readonly canary: { readonly image: string; readonly pods: number; readonly intervalMs: number } | null;
  /** Time alone may change something. */
  readonly isMoving: boolean;
}

export function podRollout(observed: ObservedPods, now: number): PodRollout {
  const { spec, pods, function: object } = observed;
  const { image, rollout } = spec;
  const before = statusOf(object);
  const status = advance({
    image,
    rollout,
    before,
    now,
    judge: (plan, position) => {
      const wanted = canaryCount(pods, before?.weight ?? 0);
      return judgePods(plan, position, canaryPods(observed.canary, image, wanted), now);
    },
  });
  const { stable, candidate } = sharesOf(image, rollout, status);
  const intervalMs = rollout === undefined ? 0 : planOf(rollout).intervalMs;
  if (candidate !== null) {
    const wanted = canaryCount(pods, candidate.weight);
    return {
      status,
      stable,
      stablePods: stableCount(pods, Math.min(availableIn(observed.canary), wanted)),
      canary: { image, pods: wanted, intervalMs },
      isMoving: status?.phase === 'Running',
    };
  }
  const canary = isFarewell(observed, stable, pods)
    ? { image: stable, pods: replicasOf(observed.canary), intervalMs }
    : null;
  return { status, stable, stablePods: pods, canary, isMoving: false };
}

export function statusOf(object: KubeObject): RolloutStatus | undefined {
  return ((object['status'] ?? {}) as FunctionStatus).rollout;
}

/** Pods of an image that was promoted stay until the main Deployment has all of its own. */
function isFarewell({ canary, objects }: ObservedPods, stable: string, pods: number): boolean {
  if (canary === undefined || imageOf(canary) !== stable) return false;
  const main = objects[DEPLOYMENTS.kind];
  if (main === undefined || imageOf(main) !== stable) return true;
  const { available } = canaryPods(main, stable, pods);
  return available < pods;
}

function replicasOf(deployment: KubeObject | undefined): number {
  return ((deployment?.['spec'] ?? {}) as { replicas?: number }).replicas ?? 0;
}
