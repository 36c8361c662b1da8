/** What has to be done for one Function that a gateway answers for: to say how it is. Pure: time is an argument. */
import type { KubeObject } from '../cluster/objects.ts';
import type { PlannedFunction } from '../isolate/plan.ts';
import { isSettled, type Serving } from '../isolate/serving.ts';
import { ownerOf } from '../resources/owned.ts';
import type { Finding, FunctionStatus } from '../resources/status.ts';
import type { Action } from './actions.ts';
import { assess, type Obstacle } from './function-status.ts';
import { deleteUnwanted } from './ownership.ts';
import { report } from './report.ts';

export interface ObservedIsolate {
  readonly function: KubeObject;
  /** Name of its gateway. */
  readonly gateway: string;
  /** What its gateway makes of it; why it makes nothing of it; null: it has not looked at this Function yet. */
  readonly place: { readonly planned: PlannedFunction; readonly serving: Serving } | Obstacle | null;
  /** What it has from when it had pods of its own. */
  readonly objects: readonly KubeObject[];
}

export function reconcileIsolate(observed: ObservedIsolate, now: number): Action[] {
  const { function: object, gateway, place, objects } = observed;
  const { uid, generation, deletionTimestamp } = object.metadata;
  if (deletionTimestamp !== undefined || place === null) return [];
  if ('reason' in place) return report(object, assess(undefined, place), {}, now);
  const { planned, serving } = place;
  if (planned.uid !== uid || planned.generation !== generation) return [];
  const { outcome } = planned;
  if ('reason' in outcome) return report(object, assess(undefined, outcome), {}, now);
  const { served: before } = (object['status'] ?? {}) as FunctionStatus;
  // Pods that come later begin with a configuration that has it: what all served once, they serve until it changes.
  const kept = serving.pods === 0 ? undefined : before;
  const served = isSettled(serving) ? outcome.hash : kept;
  const isServed = served === outcome.hash;
  const findings = isolateFindings(gateway, serving, isServed);
  return [
    ...report(object, findings, served === undefined ? {} : { served }, now),
    // Its own pods answered until now.
    ...(isServed ? deleteUnwanted(objects, [], ownerOf(object)) : []),
  ];
}

function isolateFindings(gateway: string, serving: Serving, isServed: boolean): Finding[] {
  const healthy: Finding = {
    type: 'Degraded',
    status: 'False',
    reason: 'AsWished',
    message: 'Nothing is in the way of what the spec says',
  };
  if (serving.pods === 0) {
    const why = { reason: 'NoPods', message: `Gateway ${gateway} has no pod that answers` };
    return [
      { type: 'Ready', status: 'False', ...why },
      { type: 'Progressing', status: 'True', ...why },
      healthy,
    ];
  }
  if (isServed) {
    const message = `All pods of gateway ${gateway} serve it`;
    return [
      { type: 'Ready', status: 'True', reason: 'Answering', message },
      { type: 'Progressing', status: 'False', reason: 'Settled', message },
      healthy,
    ];
  }
  if (serving.refusing !== null) {
    const message = `Pod ${serving.refusing} of gateway ${gateway} cannot use the configuration. Its log says why.`;
    const why = { reason: 'ConfigurationRefused', message };
    return [
      { type: 'Ready', status: 'False', ...why },
      { type: 'Progressing', status: 'False', ...why },
      { type: 'Degraded', status: 'True', ...why },
    ];
  }
  const message = `Not all pods of gateway ${gateway} serve it yet`;
  return [
    { type: 'Ready', status: 'False', reason: 'RollingOut', message },
    { type: 'Progressing', status: 'True', reason: 'RollingOut', message },
    healthy,
  ];
}
