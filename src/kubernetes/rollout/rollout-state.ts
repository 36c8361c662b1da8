/** Where the rollout of a Function stands: kept in its status, so that whichever operator leads goes on with it. Pure. */
import { type Decision, firstPosition, type Position } from '../../rollout/decide.ts';
import type { RolloutPlan } from '../../rollout/plan.ts';
import type { FunctionSpec } from '../resources/function.ts';
import type { FunctionStatus } from '../resources/status.ts';

export type RolloutStatus = NonNullable<FunctionStatus['rollout']>;

/** The images that should answer, and how the requests are shared. */
export interface Shares {
  readonly stable: string;
  readonly candidate: { readonly image: string; readonly weight: number } | null;
}

type Rollout = NonNullable<FunctionSpec['rollout']>;

export function planOf({ steps, interval, minRequests, maxErrorRate, maxP99 }: Rollout): RolloutPlan {
  return {
    steps: [...new Set(steps)].toSorted((a, b) => a - b),
    intervalMs: interval,
    minRequests,
    maxErrorRate,
    maxP99Ms: maxP99 ?? null,
  };
}

/**
 * Who answers, from the spec and what was written down. An image that the operator has not begun to roll out yet gets
 * nothing; where there is no rollout the spec's image gets all.
 */
export function sharesOf(
  image: string,
  rollout: Rollout | undefined,
  status: RolloutStatus | undefined,
): Shares {
  if (rollout === undefined || status === undefined) return { stable: image, candidate: null };
  const { stable, candidate, phase, weight } = status;
  if (image === stable || candidate !== image || weight === undefined) return { stable, candidate: null };
  return { stable, candidate: phase === 'RolledBack' ? null : { image, weight } };
}

export interface Turn {
  readonly image: string;
  readonly rollout: Rollout | undefined;
  readonly before: RolloutStatus | undefined;
  readonly now: number;
  /** What has been seen of the candidate comes to this. Asked only of one that is on its way. */
  judge(plan: RolloutPlan, position: Position): Decision;
}

/** The status that follows; undefined: there is nothing to keep. */
export function advance(turn: Turn): RolloutStatus | undefined {
  const { image, rollout, before, now } = turn;
  if (rollout === undefined) return undefined;
  if (before === undefined || before.stable === image) return { stable: image, phase: 'Stable' };
  if (before.candidate !== image) return begin(before.stable, image, planOf(rollout), now);
  if (before.phase === 'RolledBack') return before;
  if (rollout.paused) return { ...before, phase: 'Paused' };
  const plan = planOf(rollout);
  const position = positionOf(before, plan);
  if (before.phase === 'Paused')
    return placed(before, { ...position, window: position.window + 1, since: now }, plan);
  return decided(before, turn.judge(plan, position), plan);
}

function begin(stable: string, candidate: string, plan: RolloutPlan, now: number): RolloutStatus {
  return placed({ stable, candidate, phase: 'Running' }, firstPosition(now), plan);
}

function decided(before: RolloutStatus, decision: Decision, plan: RolloutPlan): RolloutStatus {
  switch (decision.do) {
    case 'wait':
      return before;
    case 'begin-again':
      return { ...placed(before, decision.position, plan), reason: decision.reason };
    case 'step':
      return placed(before, decision.position, plan);
    case 'finish':
      return { stable: before.candidate as string, phase: 'Stable' };
    case 'roll-back':
      return { ...before, phase: 'RolledBack', weight: 0, reason: decision.reason };
  }
}

/** `step` counts from 1 for people. */
function placed({ stable, candidate }: RolloutStatus, position: Position, plan: RolloutPlan): RolloutStatus {
  const { step, window, since } = position;
  return {
    stable,
    ...(candidate === undefined ? {} : { candidate }),
    phase: 'Running',
    weight: plan.steps[step] as number,
    step: step + 1,
    window,
    since: new Date(since).toISOString(),
  };
}

/** The steps in the spec may have become fewer. */
export function positionOf({ step = 1, window = 1, since = '' }: RolloutStatus, plan: RolloutPlan): Position {
  return {
    step: Math.min(step, plan.steps.length) - 1,
    window,
    since: Date.parse(since) || 0,
  };
}
