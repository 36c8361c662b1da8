/** Values from Secrets: they are files in the pods, which the configuration names as variables (config/credentials.ts). */
import { createHash } from 'node:crypto';
import type { SecretKey } from '../resources/words.ts';

/** The same for the same value, whoever asks for it; of no other. */
export function secretVariable({ name, key }: SecretKey): string {
  const hash = createHash('sha256').update(`${name}\0${key}`).digest('hex').slice(0, 16);
  return `MAYFLY_SECRET_${hash.toUpperCase()}`;
}

/**
 * Sources of a volume: a file for each value, called like its variable. Values that change in a Secret change in the file; a
 * Secret that is missing keeps pods from starting, and leaves those that run as they are.
 */
export function secretSources(secrets: readonly SecretKey[]): object[] {
  const byName = new Map<string, Map<string, string>>();
  for (const secret of secrets) {
    const items = byName.get(secret.name) ?? new Map<string, string>();
    byName.set(secret.name, items.set(secret.key, secretVariable(secret)));
  }
  return [...byName].toSorted(byKey).map(([name, items]) => ({
    secret: { name, items: [...items].toSorted(byKey).map(([key, path]) => ({ key, path })) },
  }));
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
