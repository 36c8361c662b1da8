/** What a rollout does next: pure, from what was counted since its step began. Time is an argument. */
import { judge } from './judge.ts';
import type { Figures, RolloutPlan } from './plan.ts';

/** Where a rollout stands. */
export interface Position {
  /** Index in `steps` of its plan. */
  readonly step: number;
  /** Counts from 1: a step may be begun again, each time is a window. */
  readonly window: number;
  /** When the window began, milliseconds since the Unix epoch. */
  readonly since: number;
}

export type Decision =
  | { readonly do: 'wait'; readonly reason: string }
  /** The same weight, counted anew: what was seen says nothing about the revision. */
  | { readonly do: 'begin-again'; readonly position: Position; readonly reason: string }
  | { readonly do: 'step'; readonly position: Position; readonly weight: number }
  | { readonly do: 'finish' }
  | { readonly do: 'roll-back'; readonly reason: string };

export function firstPosition(now: number): Position {
  return { step: 0, window: 1, since: now };
}

/** Percent of the requests at a position. */
export function weightAt({ steps }: RolloutPlan, { step }: Position): number {
  return steps[step] as number;
}

export function decide(plan: RolloutPlan, position: Position, figures: Figures, now: number): Decision {
  const verdict = judge(plan, figures, position.window);
  if (verdict.is === 'worse') return { do: 'roll-back', reason: verdict.reason };
  const missing = plan.minRequests - figures.candidate.requests;
  if (now - position.since < plan.intervalMs) return { do: 'wait', reason: 'the step is not over' };
  if (missing > 0) return { do: 'wait', reason: `${missing} more requests are needed` };
  if (verdict.is === 'in-doubt') return { do: 'wait', reason: verdict.reason };
  const next = { step: position.step, window: position.window + 1, since: now };
  if (verdict.is === 'both-miss') {
    const reason = `${verdict.reason}, and the revision before misses the objective as well`;
    return { do: 'begin-again', position: next, reason };
  }
  const step = position.step + 1;
  const weight = plan.steps[step];
  return weight === undefined ? { do: 'finish' } : { do: 'step', position: { ...next, step }, weight };
}
