/** Reading a key set (RFC 7517) that somebody else wrote: pure. */
import { MayflyError } from '../model/errors.ts';
import type { AuthSpec } from '../model/snapshot.ts';

export type KeySet = NonNullable<AuthSpec['jwks']>;

/** Members of public keys (RFC 7518 §6, RFC 8037 §2) and what says how to use them. Everything else stays out: above all private parts. */
const publicMembers = ['kty', 'kid', 'use', 'alg', 'key_ops', 'crv', 'x', 'y', 'n', 'e', 'x5t', 'x5t#S256'];

const neededMembers: Readonly<Record<string, readonly string[]>> = {
  RSA: ['n', 'e'],
  EC: ['crv', 'x', 'y'],
  OKP: ['crv', 'x'],
};

const MAX_KEYS = 256;

/**
 * The public signature keys in the text. Keys of other types (above all `oct`, whose value is a secret) and for other uses
 * are left out. Throws MayflyError when the text is no key set, or when no key is left: an empty set would lock everybody out.
 */
export function parseKeySet(text: string, where: string): KeySet {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unusable('it is not JSON', where);
  }
  const keys = (value as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys)) throw unusable('it has no list "keys"', where);
  if (keys.length > MAX_KEYS) throw unusable(`it has ${keys.length} keys, more than ${MAX_KEYS}`, where);
  const usable = keys.filter(isSignatureKey).map(publicPart);
  if (usable.length === 0) throw unusable('it has no public RSA, EC or OKP key for signatures', where);
  return { keys: usable };
}

function isSignatureKey(key: unknown): key is Record<string, unknown> {
  if (key === null || typeof key !== 'object') return false;
  const { kty, use } = key as Record<string, unknown>;
  if (use !== undefined && use !== 'sig') return false;
  const needed =
    typeof kty === 'string' && Object.hasOwn(neededMembers, kty) ? neededMembers[kty] : undefined;
  return (
    needed !== undefined && needed.every((name) => typeof (key as Record<string, unknown>)[name] === 'string')
  );
}

function publicPart(key: Record<string, unknown>): Record<string, unknown> {
  const entries = publicMembers.filter((name) => Object.hasOwn(key, name)).map((name) => [name, key[name]]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

function unusable(state: string, where: string): MayflyError {
  return new MayflyError(`Cannot use the key set: ${state}`, { where, code: 'bad-key-set' });
}
