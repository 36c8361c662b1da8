/** Values from Secrets: they are environment variables of the pods, and the configuration names the variables. */
import { createHash } from 'node:crypto';
import type { SecretKey } from '../resources/words.ts';

/** The same for the same value, whoever asks for it; of no other. */
export function secretVariable({ name, key }: SecretKey): string {
  const hash = createHash('sha256').update(`${name}\0${key}`).digest('hex').slice(0, 16);
  return `MAYFLY_SECRET_${hash.toUpperCase()}`;
}

/** The variables of a container, each once, always in the same order. */
export function secretVariables(secrets: readonly SecretKey[]): object[] {
  const byName = new Map(secrets.map((secret) => [secretVariable(secret), secret]));
  return [...byName]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([variable, { name, key }]) => ({ name: variable, valueFrom: { secretKeyRef: { name, key } } }));
}
