import type { MethodName } from './method.ts';

/** Which part of a request a limit is counted by. */
export type KeyPart =
  | { readonly by: 'function' }
  | { readonly by: 'user' }
  | { readonly by: 'ip' }
  | { readonly by: 'header'; readonly name: string }
  | { readonly by: 'claim'; readonly name: string };

/** A rate limit as configured: GCRA with `burst` as bucket size, refilled at `requestsPerSecond`. */
export interface RateLimitSpec {
  /** Name in the RateLimit-Policy header. */
  readonly name: string;
  readonly requestsPerSecond: number;
  readonly burst: number;
  readonly windowMs: number;
  /** `user` falls back to the client's address where nobody is signed in. */
  readonly key: readonly KeyPart[];
}

/** Where an input field of the policy comes from, beside the standard ones. */
export type MappedValue =
  | { readonly from: 'constant'; readonly value: unknown }
  | { readonly from: 'claim'; readonly name: string }
  | { readonly from: 'header'; readonly name: string }
  | { readonly from: 'query'; readonly name: string }
  /** RFC 6901 pointer into the JSON body. */
  | { readonly from: 'body'; readonly pointer: string };

export interface RoutePolicySpec {
  /** Id of a PolicySpec in the snapshot. */
  readonly policy: string;
  /** OPA entrypoint, `serverless/allow` for `data.serverless.allow`. */
  readonly entrypoint: string;
  /** Input path (`['order', 'amount']`) → source. */
  readonly mapping: readonly { readonly path: readonly string[]; readonly value: MappedValue }[];
}

export interface RouteSpec {
  readonly id: string;
  readonly function: string;
  /** Lower case, without port; null matches every host. */
  readonly host: string | null;
  /** `/api/orders` matches exactly; `/api/*` matches everything below `/api/`. */
  readonly path: string;
  /** null: every method. HEAD is answered wherever GET is. */
  readonly methods: readonly MethodName[] | null;
  /** `optional` verifies a token when there is one; `public` does not look. */
  readonly auth: 'required' | 'optional' | 'public';
  readonly rateLimit: RateLimitSpec | null;
  readonly policy: RoutePolicySpec | null;
}
