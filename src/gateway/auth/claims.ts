import type { AuthSpec } from '../../model/snapshot.ts';
import { type AuthFailure, failures } from './failure.ts';
import { Session } from './session.ts';

export type Claims = Readonly<Record<string, unknown>>;
type ClaimRules = Pick<AuthSpec, 'issuer' | 'audience' | 'maxTokenAgeMs' | 'clockToleranceMs'>;

/** Strict: what is not UTF-8 is no token. `ignoreBOM` keeps a byte-order mark, which JSON.parse then refuses. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The claims set of a token's payload: a JSON object, or null. Of duplicate members the last counts (RFC 7519, 4). */
export function parseClaims(payload: Uint8Array): Claims | null {
  try {
    const value: unknown = JSON.parse(utf8.decode(payload));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : null;
  } catch {
    return null;
  }
}

/**
 * Judges the claims of a token whose signature is right (RFC 7519, 4.1). `exp` is required; times are whole seconds of
 * the wall clock, as in jose.
 */
export function judgeClaims(claims: Claims, rules: ClaimRules, nowMs: number): Session | AuthFailure {
  const { exp, nbf, iat, sub, iss } = claims;
  const now = Math.floor(nowMs / 1000);
  const tolerance = rules.clockToleranceMs / 1000;
  if (exp === undefined) return failures.noExpiry;
  if (!isTime(exp)) return failures.claims;
  if ((nbf !== undefined && !isTime(nbf)) || (iat !== undefined && !isTime(iat))) return failures.claims;
  if (sub !== undefined && typeof sub !== 'string') return failures.claims;
  if (rules.issuer !== null && iss !== rules.issuer) return failures.issuer;
  if (rules.audience !== null && !includesAudience(claims['aud'], rules.audience)) return failures.audience;
  if (nbf !== undefined && nbf > now + tolerance) return failures.notYetValid;
  let end = exp + tolerance;
  if (rules.maxTokenAgeMs !== null) {
    if (iat === undefined) return failures.claims;
    if (iat > now + tolerance) return failures.notYetValid;
    const oldest = iat + rules.maxTokenAgeMs / 1000 + tolerance;
    if (now > oldest) return failures.tooOld;
    end = Math.min(end, oldest + 1);
  }
  if (end * 1000 <= nowMs) return failures.expired;
  return new Session(claims, end * 1000);
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function includesAudience(claim: unknown, wanted: string): boolean {
  return claim === wanted || (Array.isArray(claim) && claim.includes(wanted));
}
