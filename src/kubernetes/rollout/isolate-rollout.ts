/** The rollout of a Function within a gateway's pods: what its status becomes. The gateway's plan follows from that. Pure. */
import type { KubeObject } from '../cluster/objects.ts';
import { decide } from '../../rollout/decide.ts';
import type { IsolateSpec } from '../resources/function.ts';
import type { Finding } from '../resources/status.ts';
import type { Window } from './pod-counters.ts';
import { statusOf } from './pod-rollout.ts';
import { advance, type RolloutStatus } from './rollout-state.ts';

export interface ObservedCounts {
  readonly spec: IsolateSpec;
  /** What the pods showed in this window; null: nobody knows yet. */
  readonly seen: Window | null;
  /** All pods serve the present shares. */
  readonly isServed: boolean;
  /** Hash of the gateway's configuration, and the image that gets a share in it. */
  readonly configuration: string;
  readonly candidate: string | null;
}

export function isolateRollout(
  object: KubeObject,
  observed: ObservedCounts,
  now: number,
): RolloutStatus | undefined {
  const { spec, seen, isServed } = observed;
  const { image, rollout } = spec;
  // A module in the spec itself leaves nothing to go back to.
  if (image === undefined) return undefined;
  return advance({
    image,
    rollout,
    before: statusOf(object),
    now,
    judge: (plan, position) => {
      if (seen === null || !isServed) return { do: 'wait', reason: 'not all pods serve it yet' };
      if (isSameCode(observed, image)) return { do: 'finish' };
      return decide(plan, position, seen.figures, now);
    },
  });
}

/** A pod was given both images and has one revision: their modules are the same, and there is nothing to try. */
function isSameCode({ seen, configuration, candidate }: ObservedCounts, image: string): boolean {
  return candidate === image && seen?.without.has(configuration) === true;
}

/** While shares change, the function answers as before. */
export function staysReady(findings: readonly Finding[], gateway: string): Finding[] {
  return findings.map((finding) => {
    const { type, status, reason } = finding;
    if (type !== 'Ready' || status !== 'False' || reason !== 'RollingOut') return finding;
    return { type, status: 'True', reason: 'Answering', message: `The pods of gateway ${gateway} answer` };
  });
}
