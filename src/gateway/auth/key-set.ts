import { compactVerify, createLocalJWKSet, errors, type CryptoKey, type JSONWebKeySet } from 'jose';
import type { AuthSpec } from '../../model/snapshot.ts';
import { type AuthFailure, failures } from './failure.ts';

/** Everything a public key may be used with. Symmetric algorithms are not in it: a public key is no secret. */
const ALGORITHMS = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ');
const PUBLIC_KEY_TYPES = new Set<unknown>(['RSA', 'EC', 'OKP']);
/** Keys tried for a token that does not say which of several it was signed with. */
const MAX_CANDIDATES = 4;

export function isPublicKeyAlgorithm(alg: string): boolean {
  return ALGORITHMS.includes(alg);
}

/**
 * Public keys of issuers (RFC 7517). A key is used for the algorithms of its type alone, and respects its own `alg`,
 * `use` and `key_ops` (jose sees to it); RSA keys below 2048 bits are refused.
 */
export class KeySet {
  readonly #resolve: ReturnType<typeof createLocalJWKSet>;

  constructor(jwks: NonNullable<AuthSpec['jwks']>) {
    const keys = jwks.keys.filter((key) => PUBLIC_KEY_TYPES.has(key['kty']));
    this.#resolve = createLocalJWKSet({ keys } as JSONWebKeySet);
  }

  /** The payload of a token with a right signature. */
  async verify(token: string): Promise<Uint8Array | AuthFailure> {
    try {
      return await payloadOf(token, this.#resolve);
    } catch (error) {
      if (error instanceof errors.JWKSMultipleMatchingKeys) return tryEach(token, error);
      if (error instanceof errors.JWKSNoMatchingKey) return failures.unknownKey;
      if (error instanceof errors.JWSInvalid) return failures.malformed;
      if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) {
        return failures.algorithm;
      }
      return failures.signature;
    }
  }
}

async function payloadOf(
  token: string,
  key: CryptoKey | ReturnType<typeof createLocalJWKSet>,
): Promise<Uint8Array> {
  const options = { algorithms: ALGORITHMS };
  const result =
    typeof key === 'function'
      ? await compactVerify(token, key, options)
      : await compactVerify(token, key, options);
  return result.payload;
}

async function tryEach(token: string, keys: AsyncIterable<CryptoKey>): Promise<Uint8Array | AuthFailure> {
  let tried = 0;
  for await (const key of keys) {
    if (tried++ === MAX_CANDIDATES) break;
    try {
      return await payloadOf(token, key);
    } catch {
      // The next one, then.
    }
  }
  return failures.signature;
}
