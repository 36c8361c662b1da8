/** What has to be done for one Function that a gateway's pods run: to say how it is. Pure: time is an argument. */
import type { KubeObject } from '../cluster/objects.ts';
import type { IsolateSpec } from '../resources/function.ts';
import { ownerOf } from '../resources/owned.ts';
import type { Action } from './actions.ts';
import { deleteUnwanted } from './ownership.ts';
import { isolateRollout, staysReady } from '../rollout/isolate-rollout.ts';
import type { Window } from '../rollout/pod-counters.ts';
import { statusOf } from '../rollout/pod-rollout.ts';
import { rolloutEvent, withRollout } from '../rollout/report-rollout.ts';
import { findingsOf, type Place, standing } from './place.ts';
import { report } from './report.ts';

/** How often pods are asked for what they counted of a new image. */
const LOOK_AT_ROLLOUT: Action = { do: 'look-again', afterMs: 1000 };

export interface ObservedIsolate {
  readonly function: KubeObject;
  /** Name of its gateway. */
  readonly gateway: string;
  readonly place: Place;
  /** What it has from when it had pods of its own. */
  readonly objects: readonly KubeObject[];
  readonly spec: IsolateSpec;
  /** What the gateway's pods show of a new image; null: nothing yet. */
  readonly seen: Window | null;
}

export function reconcileIsolate(observed: ObservedIsolate, now: number): Action[] {
  const { function: object, gateway, place, objects } = observed;
  if (object.metadata.deletionTimestamp !== undefined) return [];
  const stands = standing(object, place);
  if (stands === null) return [];
  const before = statusOf(object);
  const kept = before === undefined ? {} : { rollout: before };
  const found = findingsOf(gateway, stands);
  if ('reason' in stands) return report(object, found, kept, now);
  const { served, lasting, isServed } = stands;
  const rollout = isolateRollout(object, { ...observed, ...stands }, now);
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
