import type { SessionRoute } from '../session-route.ts';

/** A verified token, ready for the stages that follow. Shared by all requests that carry the same token on this thread. */
export class Session {
  readonly claims: Readonly<Record<string, unknown>>;
  /** `sub`; null when the token names nobody. */
  readonly subject: string | null;
  /** The claims as JSON, written anew from what was parsed, so that a guest can never read a duplicate that we did not. */
  readonly json: Buffer;
  /** Wall clock. From then on the token must be verified again (and will fail). */
  readonly expiresAtMs: number;
  #routes: (SessionRoute | undefined)[] = [];
  #routesVersion = -1;

  constructor(claims: Readonly<Record<string, unknown>>, expiresAtMs: number) {
    this.claims = claims;
    this.subject = typeof claims['sub'] === 'string' ? claims['sub'] : null;
    this.json = Buffer.from(JSON.stringify(claims));
    this.expiresAtMs = expiresAtMs;
  }

  /** What was worked out for this session on the route with this index; void when the snapshot is another. */
  at(snapshotVersion: number, routeIndex: number): SessionRoute {
    if (this.#routesVersion !== snapshotVersion) {
      this.#routesVersion = snapshotVersion;
      this.#routes = [];
    }
    return (this.#routes[routeIndex] ??= { input: null, limitKey: null });
  }
}
