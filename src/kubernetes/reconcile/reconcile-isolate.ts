/** What has to be done for one Function that a gateway answers for: to say how it is. Pure: time is an argument. */
import type { KubeObject } from '../cluster/objects.ts';
import type { Figures } from '../../rollout/plan.ts';
import type { PlannedFunction } from '../isolate/plan.ts';
import { isSettled, type Serving } from '../isolate/serving.ts';
import type { IsolateSpec } from '../resources/function.ts';
import { ownerOf } from '../resources/owned.ts';
import type { Finding, FunctionStatus } from '../resources/status.ts';
import type { Action } from './actions.ts';
import { assess, HEALTHY, type Obstacle } from './function-status.ts';
import { deleteUnwanted } from './ownership.ts';
import { isolateRollout, staysReady } from '../rollout/isolate-rollout.ts';
import { statusOf } from '../rollout/pod-rollout.ts';
import { rolloutEvent, withRollout } from '../rollout/report-rollout.ts';
import { report } from './report.ts';

/** How often pods are asked for what they counted of a new image. */
const LOOK_AT_ROLLOUT: Action = { do: 'look-again', afterMs: 1000 };

export interface ObservedIsolate {
  readonly function: KubeObject;
  /** Name of its gateway. */
  readonly gateway: string;
  /** What its gateway makes of it; why it makes nothing of it; null: it has not looked at this Function yet. */
  readonly place: { readonly planned: PlannedFunction; readonly serving: Serving } | Obstacle | null;
  /** What it has from when it had pods of its own. */
  readonly objects: readonly KubeObject[];
  readonly spec: IsolateSpec;
  /** What the gateway's pods counted of a new image; null: nothing yet. */
  readonly figures: Figures | null;
}

export function reconcileIsolate(observed: ObservedIsolate, now: number): Action[] {
  const { function: object, gateway, place, objects } = observed;
  const { uid, generation, deletionTimestamp } = object.metadata;
  if (deletionTimestamp !== undefined || place === null) return [];
  const before = statusOf(object);
  const kept = before === undefined ? {} : { rollout: before };
  if ('reason' in place) return report(object, assess(undefined, place), kept, now);
  const { planned, serving } = place;
  if (planned.uid !== uid || planned.generation !== generation) return [];
  const { outcome } = planned;
  if ('reason' in outcome) return report(object, assess(undefined, outcome), kept, now);
  const { served: servedBefore } = (object['status'] ?? {}) as FunctionStatus;
  // Pods that come later begin with a configuration that has it: what all served once, they serve until it changes.
  const lasting = serving.pods === 0 ? undefined : servedBefore;
  const served = isSettled(serving) ? outcome.hash : lasting;
  const isServed = served === outcome.hash;
  const rollout = isolateRollout(object, { ...observed, isServed }, now);
  const found = isolateFindings(gateway, serving, isServed);
  const findings = rollout !== undefined && lasting !== undefined ? staysReady(found, gateway) : found;
  const numbers = {
    ...(served === undefined ? {} : { served }),
    ...(rollout === undefined ? {} : { rollout }),
  };
  return [
    ...report(object, withRollout(findings, rollout), numbers, now),
    ...rolloutEvent(object, before, rollout),
    // Its own pods answered until now.
    ...(isServed ? deleteUnwanted(objects, [], ownerOf(object)) : []),
    ...(rollout?.phase === 'Running' ? [LOOK_AT_ROLLOUT] : []),
  ];
}

function isolateFindings(gateway: string, serving: Serving, isServed: boolean): Finding[] {
  if (serving.pods === 0) {
    const why = { reason: 'NoPods', message: `Gateway ${gateway} has no pod that answers` };
    return [
      { type: 'Ready', status: 'False', ...why },
      { type: 'Progressing', status: 'True', ...why },
      HEALTHY,
    ];
  }
  if (isServed) {
    const message = `All pods of gateway ${gateway} serve it`;
    return [
      { type: 'Ready', status: 'True', reason: 'Answering', message },
      { type: 'Progressing', status: 'False', reason: 'Settled', message },
      HEALTHY,
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
    HEALTHY,
  ];
}
