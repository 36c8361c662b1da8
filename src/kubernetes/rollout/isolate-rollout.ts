/** The rollout of a Function within a gateway's pods: what its status becomes. The gateway's plan follows from that. Pure. */
import type { KubeObject } from '../cluster/objects.ts';
import { decide } from '../../rollout/decide.ts';
import type { Figures } from '../../rollout/plan.ts';
import type { IsolateSpec } from '../resources/function.ts';
import type { Finding } from '../resources/status.ts';
import { statusOf } from './pod-rollout.ts';
import { advance, type RolloutStatus } from './rollout-state.ts';

export interface ObservedCounts {
  readonly spec: IsolateSpec;
  /** What the pods counted in this window; null: nobody knows yet. */
  readonly figures: Figures | null;
  /** All pods serve the present shares. */
  readonly isServed: boolean;
}

export function isolateRollout(
  object: KubeObject,
  { spec, figures, isServed }: ObservedCounts,
  now: number,
): RolloutStatus | undefined {
  const { image, rollout } = spec;
  // A module in the spec itself leaves nothing to go back to.
  if (image === undefined) return undefined;
  return advance({
    image,
    rollout,
    before: statusOf(object),
    now,
    judge: (plan, position) =>
      figures === null || !isServed
        ? { do: 'wait', reason: 'not all pods serve it yet' }
        : decide(plan, position, figures, now),
  });
}

/** While shares change, the function answers as before. */
export function staysReady(findings: readonly Finding[], gateway: string): Finding[] {
  return findings.map((finding) => {
    const { type, status, reason } = finding;
    if (type !== 'Ready' || status !== 'False' || reason !== 'RollingOut') return finding;
    return { type, status: 'True', reason: 'Answering', message: `The pods of gateway ${gateway} answer` };
  });
}
