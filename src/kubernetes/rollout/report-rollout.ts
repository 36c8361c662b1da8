/** What the conditions of a Function say of its rollout, and the event when it went back. Pure. */
import type { KubeObject } from '../cluster/objects.ts';
import type { Action } from '../reconcile/actions.ts';
import type { Finding } from '../resources/status.ts';
import type { RolloutStatus } from './rollout-state.ts';

/** Progressing tells of the rollout once everything else is as it should be. */
export function withRollout(findings: readonly Finding[], rollout: RolloutStatus | undefined): Finding[] {
  return findings.map((finding) => {
    if (finding.type !== 'Progressing' || rollout === undefined) return finding;
    const { phase, weight, step, reason, candidate = '' } = rollout;
    const { type } = finding;
    switch (phase) {
      case 'Stable':
        return finding;
      case 'RolledBack':
        if (finding.status === 'True') return finding;
        return {
          type,
          status: 'False',
          reason: phase,
          message: `${candidate} was rolled back: ${reason ?? ''}`,
        };
      case 'Running':
      case 'Paused': {
        const message = `${candidate} has ${weight ?? 0} % (step ${step ?? 1})${reason === undefined ? '' : `: ${reason}`}`;
        return { type, status: 'True', reason: phase === 'Paused' ? 'RolloutPaused' : 'RollingOut', message };
      }
    }
  });
}

/** For `kubectl describe`: once for each turn. */
export function rolloutEvent(
  about: KubeObject,
  before: RolloutStatus | undefined,
  after: RolloutStatus | undefined,
): Action[] {
  if (after === undefined || before === undefined) return [];
  if (before.phase === after.phase && before.step === after.step && before.candidate === after.candidate)
    return [];
  const say = (type: 'Normal' | 'Warning', reason: string, message: string): Action[] => [
    { do: 'event', about, event: { type, reason, message } },
  ];
  const { phase, stable, candidate = '', weight = 0, reason = '' } = after;
  if (phase === 'RolledBack') {
    return say('Warning', 'RolledBack', `${candidate} was rolled back to ${stable}: ${reason}`);
  }
  if (phase === 'Running') return say('Normal', 'RollingOut', `${candidate} gets ${weight} %`);
  if (phase === 'Paused') return say('Normal', 'RolloutPaused', `${candidate} stays at ${weight} %`);
  return before.phase === 'Stable' ? [] : say('Normal', 'RolledOut', `${stable} has all`);
}
