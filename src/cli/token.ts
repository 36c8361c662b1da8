/** Tokens for development, as the CLI makes them. */
import { InvalidArgumentError } from 'commander';
import type { Resolved } from '../config/resolve.ts';
import { parseDuration } from '../config/units.ts';
import { secretText } from '../control/foundation.ts';
import { MayflyError } from '../model/errors.ts';
import { issueToken } from '../tokens/issue.ts';

export interface MadeToken {
  readonly token: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly expires_at: string;
}

/** Signs `claims` with the secret of the configuration, its issuer and audience added. Throws MayflyError where there is none. */
export async function makeToken(
  { auth, tokenExpiryMs, file }: Resolved,
  claims: Readonly<Record<string, unknown>>,
  expiryMs: number = tokenExpiryMs,
): Promise<MadeToken> {
  if (auth?.secret == null) {
    throw new MayflyError('Cannot issue a token: the configuration has no secret to sign it with', {
      where: file,
      fix: 'Set security.jwt_secret_file; tokens of a key set come from whoever holds its private keys.',
      exitCode: 2,
      code: 'no-secret',
    });
  }
  const { issuer, audience, secret } = auth;
  const all = {
    ...(issuer !== null && { iss: issuer }),
    ...(audience !== null && { aud: audience }),
    ...claims,
  };
  const seconds = Math.max(1, Math.floor(expiryMs / 1000));
  const token = await issueToken(Buffer.from(secretText(secret)), all, seconds);
  return { token, claims: all, expires_at: new Date(Date.now() + seconds * 1000).toISOString() };
}

/** `status=active`, `groups=["a","b"]`, `level=3` → claims. */
export function readClaims(pairs: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      if (equals < 1) {
        throw new MayflyError(`A claim must be name=value`, { where: pair, exitCode: 2, code: 'usage' });
      }
      return [pair.slice(0, equals), jsonOrText(pair.slice(equals + 1))];
    }),
  );
}

/** `15m` → milliseconds, as the parser of an option. */
export function durationOption(text: string): number {
  const parsed = parseDuration(text);
  if ('value' in parsed && parsed.value >= 1000) return parsed.value;
  throw new InvalidArgumentError(
    `It ${'problem' in parsed ? parsed.problem : 'is shorter than a second'}; write it as 30s, 15m or 1h.`,
  );
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
