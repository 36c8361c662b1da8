/** How many pods of which image, and whether those of the new one do as pods should. For functions with pods of their own. Pure. */
import type { Decision, Position } from '../../rollout/decide.ts';
import type { RolloutPlan } from '../../rollout/plan.ts';

/** After so long without all of its pods, a new image is given up, milliseconds; a longer interval gives it longer. */
const PATIENCE_MS = 120_000;

/** What the Deployment of the new image says. */
export interface CanaryPods {
  readonly wanted: number;
  /** Ready for as long as its `minReadySeconds` says. */
  readonly available: number;
  /** Why it does not go on; null while it does. */
  readonly stuck: string | null;
  /** Since when some of its pods are missing, milliseconds since the Unix epoch; null: it does not say. */
  readonly unavailableSince: number | null;
}

/** The pods that the new image gets of all of them: its share, at least one where there are any. */
export function canaryCount(pods: number, weight: number): number {
  return pods === 0 ? 0 : Math.max(1, Math.round((pods * weight) / 100));
}

/** What is left for the old image: never fewer pods answer than there should be, nor none of them. */
export function stableCount(pods: number, canaryAvailable: number): number {
  return pods === 0 ? 0 : Math.max(1, pods - canaryAvailable);
}

/**
 * Pods that crash are not available for long, and pods that do not get ready never are: that is what is judged here, and
 * nothing else, because the server in these pods keeps no counters.
 */
export function judgePods(plan: RolloutPlan, position: Position, pods: CanaryPods, now: number): Decision {
  const { wanted, available, stuck, unavailableSince } = pods;
  // A step is over when all of the pods have been there for so long.
  const passedMs = now - Math.max(position.since, unavailableSince ?? 0);
  if (wanted === 0) return { do: 'wait', reason: 'no pods are wanted' };
  if (stuck !== null) return { do: 'roll-back', reason: stuck };
  if (available < wanted) {
    const reason = `${available} of ${wanted} pods of the new image answer`;
    const isOver = passedMs > plan.intervalMs + PATIENCE_MS;
    return isOver ? { do: 'roll-back', reason } : { do: 'wait', reason };
  }
  if (passedMs < plan.intervalMs) return { do: 'wait', reason: 'the step is not over' };
  const step = position.step + 1;
  const weight = plan.steps[step];
  if (weight === undefined) return { do: 'finish' };
  return { do: 'step', position: { step, window: position.window + 1, since: now }, weight };
}
