/** From what is in the cluster to what has to be done for one Function. Pure: time is an argument. */
import type { KubeObject, Resource } from '../cluster/objects.ts';
import { hasOwnPods, type PodSpec } from '../resources/function.ts';
import { FUNCTION } from '../resources/kinds.ts';
import { parseSpec } from '../resources/parse.ts';
import { autoscaler } from '../wasmedge/autoscaler.ts';
import { deployment } from '../wasmedge/deployment.ts';
import { type Owner, ownerOf } from '../resources/owned.ts';
import { service } from '../wasmedge/service.ts';
import { DEPLOYMENTS, HTTP_ROUTES, SCALED_OBJECTS } from '../cluster/resources.ts';
import { httpRoute } from '../edge/http-route.ts';
import { withRoute } from '../edge/route-status.ts';
import type { Action } from './actions.ts';
import { stamped } from './drift.ts';
import { canaryDeployment } from '../rollout/canary-deployment.ts';
import { podRollout, type PodRollout, statusOf } from '../rollout/pod-rollout.ts';
import type { RolloutStatus } from '../rollout/rollout-state.ts';
import { rolloutEvent, withRollout } from '../rollout/report-rollout.ts';
import { assess, GATEWAY_API_MISSING, KEDA_MISSING, type Obstacle, podNumbers } from './function-status.ts';
import { type Place, standing, withGateway } from './place.ts';
import { report as said } from './report.ts';
import { applyWhereNeeded, deleteUnwanted, isOwnedBy } from './ownership.ts';
import { wantedPods } from './wanted-pods.ts';

const LOOK_AGAIN_MS = 10_000;
/** How often a rollout under way is looked at; changes of its pods come by themselves. */
const LOOK_AT_ROLLOUT: Action = { do: 'look-again', afterMs: 5000 };

export interface ObservedFunction {
  readonly function: KubeObject;
  /** By kind, what bears the function's name, whoever made it. */
  readonly objects: Readonly<Partial<Record<string, KubeObject>>>;
  /** The Deployment of an image that is tried, whoever made it. */
  readonly canary?: KubeObject | undefined;
  /** The kinds of `OWNED` that the cluster has: KEDA and the Gateway API may not be installed. */
  readonly served: readonly Resource[];
  /** Where KEDA asks the operator: host:port. Default: as it is shipped. */
  readonly scalerAddress?: string | undefined;
  /** The gateway that its requests pass, where it names one. */
  readonly gateway?: { readonly name: string; readonly place: Place } | undefined;
}

export function reconcileFunction(observed: ObservedFunction, now: number): Action[] {
  const { function: object } = observed;
  // What belongs to it goes with it: the garbage collector follows the owner references.
  if (object.metadata.deletionTimestamp !== undefined) return [];
  const parsed = parseSpec(FUNCTION, object);
  if ('problem' in parsed) {
    return report(observed, { reason: 'InvalidSpec', message: parsed.problem }, now);
  }
  const { spec } = parsed;
  if (!hasOwnPods(spec)) return [];
  const owner = ownerOf(object);
  const pods = wantedPods(spec);
  const rollout = podRollout({ ...observed, canary: own(observed.canary, owner), spec, pods }, now);
  const wanted = wantedObjects(observed, spec, rollout);
  const obstacle = obstacleTo(observed, wanted, owner);
  if (obstacle !== null) {
    // The object in our way is nobody's that we watch.
    const again: Action[] =
      obstacle.reason === 'NameTaken' ? [{ do: 'look-again', afterMs: LOOK_AGAIN_MS }] : [];
    return [...report(observed, obstacle, now), ...again];
  }
  return [
    ...wanted.flatMap((item) => applyWhereNeeded(item, foundFor(observed, item))),
    ...deleteUnwanted(present(observed), wanted, owner),
    ...report(observed, rollout.stablePods, now, rollout.status ?? null),
    ...rolloutEvent(object, statusOf(object), rollout.status),
    ...(rollout.isMoving ? [LOOK_AT_ROLLOUT] : []),
  ];
}

function wantedObjects(
  { function: object, scalerAddress }: ObservedFunction,
  spec: PodSpec,
  rollout: PodRollout,
): KubeObject[] {
  const owner = ownerOf(object);
  const { stable, stablePods, canary } = rollout;
  const scaler = autoscaler(owner, spec, scalerAddress);
  return [
    deployment(owner, { ...spec, image: stable }, stablePods),
    ...(canary === null ? [] : [canaryDeployment(owner, spec, canary)]),
    service(owner, spec),
    ...(scaler === null ? [] : [scaler]),
    ...(spec.httpRoute === undefined ? [] : [httpRoute(owner, spec.httpRoute, spec.service.port)]),
  ].map(stamped);
}

/** What bears the name of `item` already, whoever made it. */
function foundFor({ objects, canary, function: { metadata } }: ObservedFunction, item: KubeObject) {
  return item.metadata.name === metadata.name ? objects[item.kind] : canary;
}

function own(found: KubeObject | undefined, owner: Owner): KubeObject | undefined {
  return found !== undefined && isOwnedBy(found, owner) ? found : undefined;
}

/** What keeps all of it from being done. Nothing is done by halves. */
function obstacleTo(
  observed: ObservedFunction,
  wanted: readonly KubeObject[],
  owner: Owner,
): Obstacle | null {
  for (const { kind } of wanted) {
    const lacking = LACKING.find(({ resource }) => resource.kind === kind);
    if (lacking !== undefined && !observed.served.includes(lacking.resource)) return lacking.obstacle;
  }
  for (const item of wanted) {
    const found = foundFor(observed, item);
    if (found === undefined || isOwnedBy(found, owner)) continue;
    const message = `There is a ${item.kind} ${item.metadata.name} already, which is not the function's. Rename one of the two.`;
    return { reason: 'NameTaken', message };
  }
  return null;
}

/** What is said where a kind is wanted that the cluster does not have. */
const LACKING: readonly { readonly resource: Resource; readonly obstacle: Obstacle }[] = [
  { resource: SCALED_OBJECTS, obstacle: KEDA_MISSING },
  { resource: HTTP_ROUTES, obstacle: GATEWAY_API_MISSING },
];

function present({ objects, canary }: ObservedFunction): KubeObject[] {
  return [...Object.values(objects), canary].filter((object) => object !== undefined);
}

function report(
  { function: object, objects, canary, gateway }: ObservedFunction,
  wish: number | Obstacle,
  now: number,
  /** Default: it stays as it is. */
  rollout: RolloutStatus | null = statusOf(object) ?? null,
): Action[] {
  const mine = own(objects[DEPLOYMENTS.kind], ownerOf(object));
  const pods = podNumbers(object, mine, own(canary, ownerOf(object)));
  const route = own(objects[HTTP_ROUTES.kind], ownerOf(object));
  const findings = withRoute(withRollout(assess(mine, wish), rollout ?? undefined), route);
  const numbers = { ...pods, ...(rollout === null ? {} : { rollout }) };
  if (gateway === undefined) return said(object, findings, numbers, now);
  const stands = standing(object, gateway.place);
  // What the gateway makes of it is known in a moment.
  if (stands === null) return [];
  const served = 'served' in stands && stands.served !== undefined ? { served: stands.served } : {};
  return said(object, withGateway(findings, gateway.name, stands), { ...numbers, ...served }, now);
}
