import { SignJWT } from 'jose';

/**
 * Issues an HS256 token for development and tests: `claims` plus `iat` (now) and `exp`.
 * A claim `exp` or `iat` of the caller is replaced.
 */
export function issueToken(
  secret: Uint8Array,
  claims: Readonly<Record<string, unknown>>,
  expirySeconds: number,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ ...claims, iat: now, exp: now + expirySeconds })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(secret);
}
