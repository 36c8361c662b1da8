/** From the objects that there are to those that there should be, without touching anybody else's. Pure. */
import { controllerOf, type KubeObject } from '../cluster/objects.ts';
import { FIELD_MANAGER, LABELS } from '../resources/names.ts';
import { type Owner, podLabels } from '../resources/owned.ts';
import type { Action } from './actions.ts';
import { hasDrifted } from './drift.ts';

/** `wanted`: stamped. */
export function applyWhereNeeded(wanted: KubeObject, found: KubeObject | undefined): Action[] {
  if (found === undefined) return [{ do: 'apply', object: wanted, force: false }];
  return hasDrifted(wanted, found) ? [{ do: 'apply', object: wanted, force: true }] : [];
}

export function deleteUnwanted(
  found: readonly KubeObject[],
  wanted: readonly KubeObject[],
  owner: Owner,
): Action[] {
  return found
    .filter((object) => isOwnedBy(object, owner) && object.metadata.deletionTimestamp === undefined)
    .filter((object) => !wanted.some((item) => isSame(item, object)))
    .map((object) => ({ do: 'delete', object }));
}

/** Also one that lost its owner reference, by a backup or by hand, and still bears our labels: it is adopted. */
export function isOwnedBy(object: KubeObject, owner: Owner): boolean {
  const controller = controllerOf(object);
  if (controller !== undefined) return controller.uid === owner.uid;
  const { labels = {} } = object.metadata;
  const ours = Object.entries(podLabels(owner)).every(([key, value]) => labels[key] === value);
  return labels[LABELS.managedBy] === FIELD_MANAGER && ours;
}

function isSame(a: KubeObject, b: KubeObject): boolean {
  return a.kind === b.kind && a.metadata.name === b.metadata.name;
}
