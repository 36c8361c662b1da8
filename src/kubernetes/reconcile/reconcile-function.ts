/** From what is in the cluster to what has to be done for one Function. Pure: time is an argument. */
import type { KubeObject, Resource } from '../cluster/objects.ts';
import { type FunctionSpec, hasOwnPods, type PodSpec } from '../resources/function.ts';
import { FUNCTION } from '../resources/kinds.ts';
import { parseSpec } from '../resources/parse.ts';
import { autoscaler } from '../wasmedge/autoscaler.ts';
import { deployment } from '../wasmedge/deployment.ts';
import { type Owner, ownerOf } from '../resources/owned.ts';
import { service } from '../wasmedge/service.ts';
import { DEPLOYMENTS, SCALED_OBJECTS } from '../cluster/resources.ts';
import type { Action } from './actions.ts';
import { stamped } from './drift.ts';
import { assess, type Obstacle, statusAction } from './function-status.ts';
import { applyWhereNeeded, deleteUnwanted, isOwnedBy } from './ownership.ts';

const LOOK_AGAIN_MS = 10_000;

export interface ObservedFunction {
  readonly function: KubeObject;
  /** By kind, what bears the function's name, whoever made it. */
  readonly objects: Readonly<Partial<Record<string, KubeObject>>>;
  /** The kinds of `OWNED` that the cluster has: KEDA may not be installed. */
  readonly served: readonly Resource[];
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
  const wanted = wantedObjects(owner, spec, pods);
  const obstacle = obstacleTo(observed, wanted, owner);
  if (obstacle !== null) {
    // The object in our way is nobody's that we watch.
    const again: Action[] =
      obstacle.reason === 'NameTaken' ? [{ do: 'look-again', afterMs: LOOK_AGAIN_MS }] : [];
    return [...report(observed, obstacle, now), ...again];
  }
  return [
    ...wanted.flatMap((item) => applyWhereNeeded(item, observed.objects[item.kind])),
    ...deleteUnwanted(present(observed), wanted, owner),
    ...report(observed, pods, now),
  ];
}

/** 0 switches a function off whatever its autoscaler says; else the bounds hold from the first moment. */
export function wantedPods({ replicas, scaling }: FunctionSpec): number {
  if (replicas === 0 || scaling === undefined) return replicas;
  return Math.min(Math.max(replicas, scaling.minReplicas), scaling.maxReplicas);
}

function wantedObjects(owner: Owner, spec: PodSpec, pods: number): KubeObject[] {
  const scaler = autoscaler(owner, spec);
  return [deployment(owner, spec, pods), service(owner, spec), ...(scaler === null ? [] : [scaler])].map(
    stamped,
  );
}

/** What keeps all of it from being done. Nothing is done by halves. */
function obstacleTo(
  { objects, served }: ObservedFunction,
  wanted: readonly KubeObject[],
  owner: Owner,
): Obstacle | null {
  const kinds = wanted.map(({ kind }) => kind);
  if (kinds.includes(SCALED_OBJECTS.kind) && !served.includes(SCALED_OBJECTS)) {
    return {
      reason: 'KedaMissing',
      message: 'spec.scaling.prometheus needs KEDA, which this cluster does not have. Install it (keda.sh).',
    };
  }
  for (const kind of kinds) {
    const found = objects[kind];
    if (found === undefined || isOwnedBy(found, owner)) continue;
    const message = `There is a ${kind} of this name already, which is not the function's. Rename one of the two.`;
    return { reason: 'NameTaken', message };
  }
  return null;
}

function present({ objects }: ObservedFunction): KubeObject[] {
  return Object.values(objects).filter((object) => object !== undefined);
}

function report(
  { function: object, objects }: ObservedFunction,
  wish: number | Obstacle,
  now: number,
): Action[] {
  const found = objects[DEPLOYMENTS.kind];
  const own = found !== undefined && isOwnedBy(found, ownerOf(object)) ? found : undefined;
  return statusAction(object, assess(own, wish), own, now);
}
