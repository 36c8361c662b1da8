import type { LimitKey } from '../../limits/key.ts';

/** A verified token, ready for the stages that follow. Shared by all requests that carry the same token on this thread. */
export class Session {
  readonly claims: Readonly<Record<string, unknown>>;
  /** `sub`; null when the token names nobody. */
  readonly subject: string | null;
  /** The claims as JSON, written anew from what was parsed, so that a guest can never read a duplicate that we did not. */
  readonly json: Buffer;
  /** Wall clock. From then on the token must be verified again (and will fail). */
  readonly expiresAtMs: number;
  /** Rate-limit keys by route index, kept by the limit stage. */
  readonly limitKeys: (LimitKey | undefined)[] = [];
  /** Policy inputs by route index, kept by the authorize stage. */
  readonly policyInputs: unknown[] = [];
  #tables = -1;

  constructor(claims: Readonly<Record<string, unknown>>, expiresAtMs: number) {
    this.claims = claims;
    this.subject = typeof claims['sub'] === 'string' ? claims['sub'] : null;
    this.json = Buffer.from(JSON.stringify(claims));
    this.expiresAtMs = expiresAtMs;
  }

  /** What is kept by route index is void when the routes are others: call with the snapshot's version before use. */
  useFor(snapshotVersion: number): void {
    if (this.#tables === snapshotVersion) return;
    this.#tables = snapshotVersion;
    this.limitKeys.length = 0;
    this.policyInputs.length = 0;
  }
}
