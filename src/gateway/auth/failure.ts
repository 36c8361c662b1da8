import type { ProblemCode } from '../../model/problems.ts';

const REALM = 'Bearer realm="mayfly"';

/**
 * Why a request is not let in, with its WWW-Authenticate value (RFC 6750, section 3). The set is fixed and says nothing
 * that came from the request, so nothing can be injected and nothing secret can leak.
 */
export class AuthFailure {
  readonly reason: string;
  readonly problem: ProblemCode;
  /** Value of WWW-Authenticate; null when the problem is ours and not the token's. */
  readonly challenge: string | null;

  constructor(reason: string, problem: ProblemCode, challenge: string | null) {
    this.reason = reason;
    this.problem = problem;
    this.challenge = challenge;
    Object.freeze(this);
  }
}

function invalid(reason: string, description: string): AuthFailure {
  const challenge = `${REALM}, error="invalid_token", error_description="${description}"`;
  return new AuthFailure(reason, 'unauthenticated', challenge);
}

export const failures = {
  /** No credentials: RFC 6750 wants no error code then. */
  missing: new AuthFailure('missing', 'unauthenticated', REALM),
  scheme: new AuthFailure('scheme', 'unauthenticated', REALM),
  malformed: invalid('malformed', 'The token is not a well-formed JWT'),
  tooLarge: invalid('too-large', 'The token is too large'),
  algorithm: invalid('algorithm', 'The algorithm of the token is not accepted'),
  unknownKey: invalid('unknown-key', 'The key that signed the token is not known'),
  signature: invalid('signature', 'The signature of the token is wrong'),
  expired: invalid('expired', 'The token has expired'),
  notYetValid: invalid('not-yet-valid', 'The token is not valid yet'),
  tooOld: invalid('too-old', 'The token was issued too long ago'),
  noExpiry: invalid('no-expiry', 'The token has no expiry'),
  issuer: invalid('issuer', 'The token comes from another issuer'),
  audience: invalid('audience', 'The token is meant for another audience'),
  claims: invalid('claims', 'A registered claim of the token has the wrong type'),
  /** Too many verifications are under way, or there is nothing to verify with. */
  busy: new AuthFailure('busy', 'unavailable', null),
} as const satisfies Record<string, AuthFailure>;
