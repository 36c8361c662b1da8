import { RateLimitHeaders } from '../limits/headers.ts';
import { KeyPlan } from '../limits/key-plan.ts';
import { RateLimit } from '../limits/limit.ts';
import type { RouteSpec } from '../model/route.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Decide, Evaluator } from '../policy/types.ts';
import type { Pools } from '../runtime/pools.ts';
import { Deployment } from './deployment.ts';
import { PolicyInputPlan } from './policy-input.ts';
import { Router } from './router.ts';
import type { SessionRoute } from './session-route.ts';

/** A route's rate limit: who is counted, against what, and how the answer says so. */
export interface RouteLimit {
  readonly plan: KeyPlan;
  readonly headers: RateLimitHeaders;
}

/** A route with everything its requests need, settled once per snapshot. */
export interface Route {
  /** Its place among the routes of its snapshot. */
  readonly index: number;
  readonly spec: RouteSpec;
  readonly deployment: Deployment;
  readonly limit: RouteLimit | null;
  /** Null: the route has no policy, or it is decided by an OPA elsewhere (`remote`). */
  readonly decide: Decide | null;
  readonly remoteOpa: string | null;
  readonly input: PolicyInputPlan | null;
  /** The policy input of requests without a session. */
  readonly anonymous: SessionRoute;
}

/** One snapshot, made ready for the data path. Replaced as a whole; requests under way keep the one they started with. */
export interface Tables {
  readonly snapshot: Snapshot;
  readonly router: Router<Route>;
  readonly deployments: ReadonlyMap<string, Deployment>;
}

/**
 * Builds the tables of a snapshot. What did not change is carried over: pools by revision id, evaluators by policy id
 * and digest, deployments (which know how slow a revision is) by function name.
 */
export function buildTables(
  snapshot: Snapshot,
  previous: Tables | null,
  pools: Pools,
  evaluators: ReadonlyMap<string, Evaluator>,
): Tables {
  const deployments = new Map<string, Deployment>();
  const revisions = new Set<string>();
  for (const spec of snapshot.functions) {
    deployments.set(spec.name, new Deployment(spec, pools, previous?.deployments.get(spec.name) ?? null));
    for (const { revision } of spec.traffic) revisions.add(revision.id);
  }
  const routes = snapshot.routes.flatMap((spec) => {
    const deployment = deployments.get(spec.function);
    return deployment === undefined ? [] : [{ spec, deployment }];
  });
  const built = routes.map(({ spec, deployment }, index) =>
    buildRoute(index, spec, deployment, snapshot, evaluators),
  );
  pools.maxInstances = snapshot.maxInstances;
  pools.keepOnly(revisions);
  pools.trim();
  return { snapshot, router: new Router(built), deployments };
}

function buildRoute(
  index: number,
  spec: RouteSpec,
  deployment: Deployment,
  snapshot: Snapshot,
  evaluators: ReadonlyMap<string, Evaluator>,
): Route {
  const limit = spec.rateLimit === null ? null : buildLimit(spec.rateLimit, spec.function);
  const anonymous: SessionRoute = { input: null, limitKey: null };
  const open = { index, spec, deployment, limit, decide: null, remoteOpa: null, input: null, anonymous };
  if (spec.policy === null) return open;
  const { policy: id, entrypoint } = spec.policy;
  const input = new PolicyInputPlan(spec, deployment.spec);
  const remoteOpa = snapshot.policies.find((policy) => policy.id === id)?.opaUrl ?? null;
  if (remoteOpa !== null) return { ...open, input, remoteOpa };
  return { ...open, input, decide: decisionOf(evaluators.get(id), entrypoint) };
}

function buildLimit(spec: NonNullable<RouteSpec['rateLimit']>, functionName: string): RouteLimit {
  const limit = new RateLimit(spec);
  return { plan: new KeyPlan(limit, functionName), headers: new RateLimitHeaders(limit) };
}

/** A policy that is missing, or not compiled for the rule, denies: no decision means no. */
function decisionOf(evaluator: Evaluator | undefined, entrypoint: string): Decide {
  try {
    if (evaluator !== undefined) return evaluator.entrypoint(entrypoint);
  } catch {
    // The control plane refuses such routes; should one come through, it must not take the thread down.
  }
  return () => false;
}
