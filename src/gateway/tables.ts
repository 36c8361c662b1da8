import type { RouteSpec } from '../model/route.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Decide, Evaluator } from '../policy/evaluator.ts';
import type { Pools } from '../runtime/pools.ts';
import { Deployment } from './deployment.ts';
import { PolicyInputPlan } from './policy-input.ts';
import { Router } from './router.ts';

/** A route with everything its requests need, settled once per snapshot. */
export interface Route {
  readonly spec: RouteSpec;
  readonly deployment: Deployment;
  /** Null: the route has no policy, or it is decided by an OPA elsewhere (`remote`). */
  readonly decide: Decide | null;
  readonly remoteOpa: string | null;
  readonly input: PolicyInputPlan | null;
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
    return deployment === undefined ? [] : [buildRoute(spec, deployment, snapshot, evaluators)];
  });
  pools.maxInstances = snapshot.maxInstances;
  pools.keepOnly(revisions);
  pools.trim();
  return { snapshot, router: new Router(routes), deployments };
}

function buildRoute(
  spec: RouteSpec,
  deployment: Deployment,
  snapshot: Snapshot,
  evaluators: ReadonlyMap<string, Evaluator>,
): Route {
  if (spec.policy === null) return { spec, deployment, decide: null, remoteOpa: null, input: null };
  const policy = snapshot.policies.find((candidate) => candidate.id === spec.policy?.policy);
  const input = new PolicyInputPlan(spec, deployment.spec);
  if (policy !== undefined && policy.opaUrl !== null) {
    return { spec, deployment, decide: null, remoteOpa: policy.opaUrl, input };
  }
  const evaluator = policy === undefined ? undefined : evaluators.get(policy.id);
  // A policy that is named but missing denies: no decision means no.
  const decide = evaluator === undefined ? () => false : evaluator.entrypoint(spec.policy.entrypoint);
  return { spec, deployment, decide, remoteOpa: null, input };
}
