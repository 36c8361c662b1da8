/** What happens to a function's rollout: pure, from the record before to what has to be written down. */
import { MayflyError } from '../model/errors.ts';
import { type Decision, firstPosition, type Position, weightAt } from '../rollout/decide.ts';
import type { RolloutPlan } from '../rollout/plan.ts';
import type { AuditEvent } from './records.ts';
import { busiest, promote, split, type Traffic } from './traffic.ts';

/** The last rollout of a function, under way or over. */
export interface RolloutRecord {
  readonly function: string;
  /** The new revision, and the one that gets the rest. */
  readonly candidate: number;
  readonly stable: number;
  /** As it was when the rollout began: what the file says later is for the next one. */
  readonly plan: RolloutPlan;
  readonly position: Position;
  readonly phase: 'running' | 'paused' | 'done' | 'rolled-back' | 'aborted';
  /** Why it is in this phase, for people; null while all goes as planned. */
  readonly reason: string | null;
  /** When the phase or the position changed last. */
  readonly changedAt: number;
}

/** One change of who gets what. Null: that part stays. */
export interface Shift {
  readonly traffic: Traffic | null;
  readonly rollout: RolloutRecord | null;
  readonly action: AuditEvent['action'];
  readonly reason: string | null;
}

export function isUnderWay(rollout: RolloutRecord | null): rollout is RolloutRecord {
  return rollout?.phase === 'running' || rollout?.phase === 'paused';
}

export interface DeployTurn {
  readonly function: string;
  readonly before: Traffic;
  readonly rollout: RolloutRecord | null;
  readonly revision: number;
  readonly plan: RolloutPlan | null;
  /** What the caller asked for; null: as the plan has it. */
  readonly percent: number | null;
  readonly now: number;
}

/** Who gets what once `revision` is deployed, and what that means for the rollout. */
export function planDeploy(turn: DeployTurn): { traffic: Traffic; rollout: RolloutRecord | null } {
  const { before, rollout, revision, plan, percent, now } = turn;
  if (percent !== null) {
    return { traffic: promote(before, revision, percent), rollout: overruled(rollout, now) };
  }
  if (isUnderWay(rollout) && rollout.candidate === revision) return { traffic: before, rollout: null };
  const stable = isUnderWay(rollout) ? rollout.stable : busiest(before)?.revision;
  if (plan === null || stable === undefined || stable === revision) {
    return { traffic: [{ revision, weight: 100 }], rollout: overruled(rollout, now) };
  }
  const position = firstPosition(now);
  const begun = { function: turn.function, candidate: revision, stable, plan, position, changedAt: now };
  return {
    traffic: split(stable, revision, weightAt(plan, position)),
    rollout: { ...begun, phase: 'running', reason: null },
  };
}

/** Somebody set the traffic by hand, or deployed something else: the rollout has no say any more. Null: it had none. */
export function overruled(rollout: RolloutRecord | null, now: number): RolloutRecord | null {
  if (!isUnderWay(rollout)) return null;
  return { ...rollout, phase: 'aborted', reason: 'the traffic was set otherwise', changedAt: now };
}

/** What a decision (rollout/decide.ts) comes to; null: nothing changes. */
export function decided(rollout: RolloutRecord, decision: Decision, now: number): Shift | null {
  const { stable, candidate } = rollout;
  const changed = { ...rollout, changedAt: now };
  switch (decision.do) {
    case 'wait':
      return null;
    case 'begin-again': {
      const { position, reason } = decision;
      return { traffic: null, rollout: { ...changed, position, reason }, action: 'rollout', reason };
    }
    case 'step': {
      const { position, weight } = decision;
      const next = { ...changed, position, reason: null };
      return { traffic: split(stable, candidate, weight), rollout: next, action: 'promote', reason: null };
    }
    case 'finish':
      return ended(changed, 'done', candidate, null);
    case 'roll-back':
      return ended(changed, 'rolled-back', stable, decision.reason);
  }
}

const ROLLOUT_ORDERS = ['pause', 'resume', 'promote', 'abort'] as const;
export type RolloutOrder = (typeof ROLLOUT_ORDERS)[number];

/** What a person orders. Throws MayflyError when it makes no sense now. */
export function ordered(
  rollout: RolloutRecord | null,
  name: string,
  order: RolloutOrder,
  now: number,
): Shift {
  if (!isUnderWay(rollout)) {
    throw new MayflyError(`There is no rollout of ${JSON.stringify(name)} under way`, {
      fix: 'See `mayfly inspect` for what happened; `mayfly promote` and `mayfly rollback` set the traffic.',
      exitCode: 2,
      code: 'no-rollout',
    });
  }
  const changed = { ...rollout, changedAt: now };
  const stays = { traffic: null, action: 'rollout', reason: order } as const;
  switch (order) {
    case 'pause':
      return { ...stays, rollout: { ...changed, phase: 'paused', reason: 'paused by hand' } };
    case 'resume':
      return {
        ...stays,
        rollout: { ...changed, phase: 'running', reason: null, position: anew(rollout, now) },
      };
    case 'promote':
      return ended(changed, 'done', rollout.candidate, 'promoted by hand');
    case 'abort':
      return ended(changed, 'aborted', rollout.stable, 'aborted by hand');
  }
}

/** The same step, counted from now on. */
export function anew({ position }: RolloutRecord, now: number): Position {
  return { ...position, window: position.window + 1, since: now };
}

function ended(
  rollout: RolloutRecord,
  phase: RolloutRecord['phase'],
  revision: number,
  reason: string | null,
): Shift {
  const action = phase === 'done' ? 'promote' : 'rollback';
  return { traffic: [{ revision, weight: 100 }], rollout: { ...rollout, phase, reason }, action, reason };
}
