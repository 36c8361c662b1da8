/** The key set that the configuration names, followed over reloads that name another one. */
import { isDeepStrictEqual } from 'node:util';
import type { AuthPlan } from '../config/resolve.ts';
import { systemClock } from '../model/clock.ts';
import { type KeyLocation, type KeySource, followKeys } from './keys.ts';
import type { KeySet } from './key-set.ts';

export interface ConfiguredKeysOptions {
  /** Puts a changed set in force. */
  readonly onChange: (keys: KeySet) => Promise<void>;
  readonly onProblem: (error: Error) => void;
}

export interface ConfiguredKeys extends Disposable {
  /** The set in force; null when the configuration names none, or none could be read yet. */
  readonly current: KeySet | null;
  /** Follows what this configuration names, from a fresh read on. */
  follow(auth: AuthPlan | null): Promise<void>;
  /** A token named a key that the set lacks. */
  unknownKey(kid: string): void;
}

export function createConfiguredKeys({ onChange, onProblem }: ConfiguredKeysOptions): ConfiguredKeys {
  let source: KeySource | null = null;
  let followed: KeyLocation | null = null;
  return {
    get current() {
      return source?.keys ?? null;
    },
    async follow(auth) {
      const location = auth?.jwks ?? null;
      if (!isDeepStrictEqual(location, followed)) {
        source?.[Symbol.dispose]();
        followed = location;
        const change = (keys: KeySet): void => void onChange(keys).catch(onProblem);
        source =
          location === null
            ? null
            : followKeys({ location, clock: systemClock, onChange: change, onProblem });
      }
      await source?.refresh();
    },
    unknownKey: (kid) => source?.unknownKey(kid),
    [Symbol.dispose]: () => source?.[Symbol.dispose](),
  };
}
