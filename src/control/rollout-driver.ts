/** Moves the rollouts of this machine on: reads the counters, asks the decision, has it written down. */
import type { Clock } from '../model/clock.ts';
import { decide, weightAt } from '../rollout/decide.ts';
import { type Counts, type Figures, since } from '../rollout/plan.ts';
import type { ControlPlane } from './plane.ts';
import { anew, decided, type RolloutRecord, type Shift } from './rollouts.ts';
import type { State } from './state.ts';

const ACTOR = 'rollout';

export interface RolloutDriverOptions {
  readonly state: State;
  readonly plane: Pick<ControlPlane, 'shift'>;
  /** What a revision has answered since it began to share the requests. */
  readonly counts: (name: string, revision: number) => Counts;
  readonly clock: Clock;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
}

/** What is known of a rollout in its window. */
export interface RolloutProgress {
  readonly figures: Figures;
  /** What it waits for; null: it was not looked at yet. */
  readonly reason: string | null;
}

export interface RolloutDriver {
  /** Looks at every rollout under way once. Never throws: one that cannot be moved is tried again. */
  tick(): Promise<void>;
  progress(name: string): RolloutProgress | null;
  /** How often a function was rolled back since the process started. */
  readonly rollbacks: ReadonlyMap<string, number>;
}

interface Window {
  /** Of which revision, and which of its windows. */
  readonly key: string;
  readonly began: Figures;
  figures: Figures;
  reason: string | null;
}

export function createRolloutDriver(options: RolloutDriverOptions): RolloutDriver {
  const { state, plane, counts, clock, log } = options;
  const windows = new Map<string, Window>();
  const rollbacks = new Map<string, number>();
  // The counters of the process before are gone: what was seen in these windows is not known any more.
  const interrupted = new Set(state.rollouts.running().map((rollout) => rollout.function));

  const readFigures = ({ function: name, candidate, stable }: RolloutRecord): Figures => ({
    candidate: counts(name, candidate),
    stable: counts(name, stable),
  });

  const windowOf = (rollout: RolloutRecord, now: Figures): Window => {
    const key = `${rollout.candidate} ${rollout.position.window}`;
    const known = windows.get(rollout.function);
    if (known?.key === key) {
      const { candidate, stable } = known.began;
      known.figures = {
        candidate: since(now.candidate, candidate),
        stable: since(now.stable, stable),
      };
      return known;
    }
    const zero = { candidate: since(now.candidate, now.candidate), stable: since(now.stable, now.stable) };
    const opened: Window = { key, began: now, figures: zero, reason: null };
    windows.set(rollout.function, opened);
    return opened;
  };

  const next = (rollout: RolloutRecord): Shift | null => {
    const now = clock.now();
    if (interrupted.has(rollout.function)) {
      const reason = 'the server was restarted';
      return {
        traffic: null,
        rollout: { ...rollout, position: anew(rollout, now), reason, changedAt: now },
        action: 'rollout',
        reason,
      };
    }
    const window = windowOf(rollout, readFigures(rollout));
    const decision = decide(rollout.plan, rollout.position, window.figures, now);
    window.reason = decision.do === 'wait' ? decision.reason : null;
    return decided(rollout, decision, now);
  };

  const say = ({ rollout, reason }: Shift): void => {
    if (rollout === null) return;
    const { function: name, candidate, stable, phase, plan, position } = rollout;
    const fields = { function: name, revision: candidate };
    if (phase === 'rolled-back') {
      rollbacks.set(name, (rollbacks.get(name) ?? 0) + 1);
      log.warn({ ...fields, back_to: stable, reason }, 'a new revision was rolled back');
    } else if (phase === 'done') log.info(fields, 'a new revision has all requests');
    else log.info({ ...fields, percent: weightAt(plan, position), reason }, 'a rollout goes on');
  };

  const advance = async (rollout: RolloutRecord): Promise<void> => {
    const name = rollout.function;
    if (next(rollout) === null) return;
    let done: Shift | null = null;
    await plane.shift(name, ACTOR, (_, current) => {
      // Somebody may have been faster: only what is still so is moved.
      const isSame = current?.phase === 'running' && current.position.window === rollout.position.window;
      done = isSame && current.candidate === rollout.candidate ? next(current) : null;
      return done;
    });
    interrupted.delete(name);
    if (done !== null) say(done);
  };

  let isBusy = false;
  return {
    async tick() {
      if (isBusy) return;
      isBusy = true;
      try {
        const running = state.rollouts.running();
        for (const name of windows.keys()) {
          if (!running.some((rollout) => rollout.function === name)) windows.delete(name);
        }
        for (const rollout of running) {
          await advance(rollout).catch((error: unknown) =>
            log.warn({ function: rollout.function, err: error }, 'a rollout could not be moved on'),
          );
        }
      } finally {
        isBusy = false;
      }
    },
    progress(name) {
      const window = windows.get(name);
      return window === undefined ? null : { figures: window.figures, reason: window.reason };
    },
    rollbacks,
  };
}
