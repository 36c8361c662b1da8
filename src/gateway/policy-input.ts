import type { FunctionSpec } from '../model/function.ts';
import type { RouteSpec } from '../model/route.ts';
import { applyMapping, type MappingSource } from '../policy/mapping.ts';

/** What a policy may ask of a request beyond the fields that every policy gets. Read only when it is asked for. */
export interface RequestFacts extends MappingSource {
  method(): string;
  path(): string;
  host(): string;
  ip(): string;
  requestId(): string;
}

/** The document a policy sees as `input` (docs/guides/policies.md). */
export interface PolicyInput {
  method: string;
  path: string;
  user?: Readonly<Record<string, unknown>>;
  readonly rate_limit: { limit: number; remaining: number };
  readonly function: { readonly name: string };
}

/** A policy input that is used again for each request of one session on one route, and the request it shows now. */
export interface ReusableInput {
  readonly input: PolicyInput;
  current: RequestFacts;
}

/**
 * How the input of one route is made. Building the object once per session and route, and changing only what differs,
 * is what makes a decision cost less than building its input. Fields that few policies read are getters.
 */
export class PolicyInputPlan {
  readonly #route: RouteSpec;
  readonly #function: FunctionSpec;
  readonly #mapped: boolean;

  constructor(route: RouteSpec, spec: FunctionSpec) {
    this.#route = route;
    this.#function = spec;
    this.#mapped = (route.policy?.mapping.length ?? 0) > 0;
  }

  create(facts: RequestFacts): ReusableInput {
    const input: PolicyInput = {
      method: '',
      path: '',
      rate_limit: { limit: 0, remaining: 0 },
      function: { name: this.#function.name },
    };
    const claims = facts.claims();
    if (claims !== null) input.user = claims;
    const reusable: ReusableInput = { input, current: facts };
    const request = {};
    lazy(request, 'id', () => reusable.current.requestId());
    lazy(request, 'ip', () => reusable.current.ip());
    lazy(request, 'host', () => reusable.current.host());
    lazy(request, 'headers', () => reusable.current.headers());
    lazy(input, 'query', () => reusable.current.query());
    Object.assign(input, { request });
    return reusable;
  }

  /** Makes `reusable` show this request. */
  fill(reusable: ReusableInput, facts: RequestFacts, limit: number, remaining: number): PolicyInput {
    const { input } = reusable;
    reusable.current = facts;
    input.method = facts.method();
    input.path = facts.path();
    input.rate_limit.limit = limit;
    input.rate_limit.remaining = remaining;
    // Mapped values may be absent on this request and present on the last: start from a fresh copy.
    if (!this.#mapped || this.#route.policy === null) return input;
    const copy = Object.defineProperties({}, Object.getOwnPropertyDescriptors(input)) as PolicyInput;
    applyMapping(this.#route.policy.mapping, facts, copy as unknown as Record<string, unknown>);
    return copy;
  }
}

function lazy(target: object, name: string, get: () => unknown): void {
  Object.defineProperty(target, name, { enumerable: true, configurable: true, get });
}
