import type { AuthSpec } from '../../model/snapshot.ts';
import { judgeClaims, parseClaims } from './claims.ts';
import { decodePart, parseHeader, splitToken, type CompactToken, type TokenHeader } from './compact.ts';
import { AuthFailure, failures } from './failure.ts';
import { Hs256Verifier } from './hs256.ts';
import { isPublicKeyAlgorithm, KeySet } from './key-set.ts';
import { KeyRefresh } from './key-refresh.ts';
import type { Session } from './session.ts';
import { TokenCache } from './token-cache.ts';

const MAX_TOKEN_BYTES = 8192;
const CACHE_BYTES = 64 * 1024 * 1024;
/** Verifications with public keys under way or waiting for a key, per thread. */
const MAX_PENDING = 1024;
const KEY_WAIT_MS = 2000;
/** Token headers remembered as parsed: an issuer has a handful. */
const MAX_HEADERS = 256;

export interface AuthenticatorOptions {
  /** A token names a key that the key set lacks. Called at most once in ten seconds. */
  onUnknownKey(kid: string): void;
  /** How long such a token waits for a new key set; 2 s unless told. */
  readonly keyWaitMs?: number;
}

export type Verdict = Session | AuthFailure;

/**
 * Turns the value of an Authorization header into a session. What was verified before is a cache hit; an HS256 token is
 * verified on the spot; only tokens signed with public keys take a promise.
 */
export class Authenticator {
  #spec: AuthSpec | null;
  #hs256: Hs256Verifier | null = null;
  #keys: KeySet | null = null;
  /** Counts key changes, so that a verification knows that its keys are of yesterday. */
  #generation = 0;
  readonly #cache = new TokenCache(CACHE_BYTES);
  readonly #headers = new Map<string, TokenHeader>();
  readonly #pending = new Map<string, Promise<Verdict>>();
  readonly #refresh: KeyRefresh;

  constructor(spec: AuthSpec | null, options: AuthenticatorOptions) {
    this.#refresh = new KeyRefresh((kid) => options.onUnknownKey(kid), options.keyWaitMs ?? KEY_WAIT_MS);
    this.#spec = null;
    this.update(spec);
  }

  /** A new snapshot came. When anything about tokens changed, every token is verified anew. */
  update(spec: AuthSpec | null): void {
    if (isSameSpec(spec, this.#spec)) return;
    this.#spec = spec;
    this.#hs256 = spec?.secret == null ? null : new Hs256Verifier(spec.secret);
    this.#keys = spec?.jwks == null ? null : new KeySet(spec.jwks);
    this.#generation++;
    this.#cache.clear();
    this.#refresh.arrived();
  }

  /** The session of an Authorization value that was verified before, in bytes [start, end). */
  lookup(bytes: Buffer, start: number, end: number, nowMs: number): Session | null {
    return this.#cache.get(bytes, start, end, nowMs);
  }

  /**
   * Verifies an Authorization value in bytes [start, end).
   * @param nowMs wall clock
   * @returns the session, why not, or a promise of one of them
   */
  authenticate(bytes: Buffer, start: number, end: number, nowMs: number): Verdict | Promise<Verdict> {
    const known = this.#cache.get(bytes, start, end, nowMs);
    if (known !== null) return known;
    const from = tokenStart(bytes, start, end);
    if (from < 0) return failures.scheme;
    if (end - from > MAX_TOKEN_BYTES) return failures.tooLarge;
    const token = splitToken(bytes, from, end);
    const header =
      token === null ? null : this.#header(bytes.toString('latin1', token.start, token.firstDot));
    if (token === null || header === null) return failures.malformed;
    if (header.alg === 'HS256' && this.#hs256 !== null) {
      const verdict = this.#verifyHere(bytes, token, this.#hs256, nowMs);
      if (!(verdict instanceof AuthFailure)) this.#keep(bytes.subarray(start, end), verdict);
      return verdict;
    }
    if (this.#keys === null || !isPublicKeyAlgorithm(header.alg)) return failures.algorithm;
    return this.#verifyLater(Buffer.from(bytes.subarray(start, end)), from - start, header, nowMs);
  }

  #header(text: string): TokenHeader | null {
    let header = this.#headers.get(text) ?? null;
    if (header !== null) return header;
    header = parseHeader(text);
    if (header !== null) {
      if (this.#headers.size === MAX_HEADERS) this.#headers.clear();
      this.#headers.set(text, header);
    }
    return header;
  }

  #verifyHere(bytes: Buffer, token: CompactToken, hs256: Hs256Verifier, nowMs: number): Verdict {
    if (!hs256.isSigned(bytes, token)) return failures.signature;
    const payload = decodePart(bytes.toString('latin1', token.firstDot + 1, token.secondDot));
    return payload === null ? failures.malformed : this.#judge(payload, nowMs);
  }

  #judge(payload: Uint8Array, nowMs: number): Verdict {
    const claims = parseClaims(payload);
    if (claims === null || this.#spec === null) return failures.malformed;
    return judgeClaims(claims, this.#spec, nowMs);
  }

  /** One verification per token, however many requests carry it. */
  #verifyLater(
    value: Buffer,
    tokenAt: number,
    header: TokenHeader,
    nowMs: number,
  ): Promise<Verdict> | AuthFailure {
    const token = value.toString('latin1', tokenAt);
    const underway = this.#pending.get(token);
    if (underway !== undefined) return underway;
    if (this.#pending.size >= MAX_PENDING) return failures.busy;
    const verification = this.#verifyWithKeys(value, token, header, nowMs).finally(() =>
      this.#pending.delete(token),
    );
    this.#pending.set(token, verification);
    return verification;
  }

  async #verifyWithKeys(value: Buffer, token: string, header: TokenHeader, nowMs: number): Promise<Verdict> {
    // The second attempt is for a key that was fetched meanwhile, or for keys that were replaced under the first.
    for (let attempt = 0; attempt < 2; attempt++) {
      const generation = this.#generation;
      const result = (await this.#keys?.verify(token)) ?? failures.algorithm;
      if (result === failures.unknownKey && attempt === 0 && header.kid !== null) {
        if (await this.#refresh.ask(header.kid)) continue;
        return result;
      }
      if (generation !== this.#generation) continue;
      if (result instanceof AuthFailure) return result;
      const verdict = this.#judge(result, nowMs);
      if (!(verdict instanceof AuthFailure)) this.#keep(value, verdict);
      return verdict;
    }
    return failures.unknownKey;
  }

  #keep(value: Uint8Array, session: Session): void {
    this.#cache.set(Buffer.from(value), session);
  }
}

/** Where the token starts after `Bearer ` (the scheme in any case, RFC 9110, 11.1), or −1. */
function tokenStart(bytes: Buffer, start: number, end: number): number {
  if (end - start < 8 || bytes[start + 6] !== 32) return -1;
  if (bytes.toString('latin1', start, start + 6).toLowerCase() !== 'bearer') return -1;
  let at = start + 7;
  while (at < end && bytes[at] === 32) at++;
  return at;
}

function isSameSpec(a: AuthSpec | null, b: AuthSpec | null): boolean {
  if (a === null || b === null) return a === b;
  return fingerprint(a) === fingerprint(b);
}

function fingerprint(spec: AuthSpec): string {
  const secret = spec.secret === null ? null : Buffer.from(spec.secret).toString('base64');
  return JSON.stringify({ ...spec, secret });
}
