/**
 * Follows the configuration while the server runs: on SIGHUP, when the file changes, when the admin API is asked to. One
 * reload at a time; what is asked for meanwhile is one more afterwards. A file that cannot be used leaves all as it was.
 */
import type { Clock } from '../model/clock.ts';
import type { Resolved } from '../config/resolve.ts';
import { restartKeys } from './restart-keys.ts';

export interface ReloadOutcome {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly error: Error | null;
  readonly deployed: readonly string[];
  readonly removed: readonly string[];
  /** Keys that changed but act only after a restart. */
  readonly needsRestart: readonly string[];
}

export interface ReloaderOptions {
  /** What the server runs with. */
  readonly running: Resolved;
  /** Reads and checks the file; throws when it cannot be used. */
  readonly load: () => Resolved | Promise<Resolved>;
  /** Puts it in force: functions, policies, keys, limits. Throws and changes nothing when that is impossible. */
  readonly apply: (
    config: Resolved,
  ) => Promise<{ readonly deployed: readonly string[]; readonly removed: readonly string[] }>;
  readonly onOutcome: (outcome: ReloadOutcome) => void;
  readonly clock: Clock;
}

export interface Reloader {
  /** Resolves when a reload that began after this call is over; never rejects. */
  reload(): Promise<ReloadOutcome>;
  readonly last: ReloadOutcome | null;
}

export function createReloader(options: ReloaderOptions): Reloader {
  const { running, load, apply, onOutcome, clock } = options;
  let last: ReloadOutcome | null = null;
  let current: Promise<unknown> = Promise.resolve();
  let next: Promise<ReloadOutcome> | null = null;

  const run = async (): Promise<ReloadOutcome> => {
    let outcome: ReloadOutcome;
    try {
      const config = await load();
      const changed = await apply(config);
      outcome = { at: clock.now(), error: null, ...changed, needsRestart: restartKeys(running, config) };
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      outcome = { at: clock.now(), error: failure, deployed: [], removed: [], needsRestart: [] };
    }
    last = outcome;
    onOutcome(outcome);
    return outcome;
  };

  return {
    reload() {
      if (next !== null) return next;
      const begun = current.then(() => {
        next = null;
        return run();
      });
      next = begun;
      current = begun;
      return begun;
    },
    get last() {
      return last;
    },
  };
}
