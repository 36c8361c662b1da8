/** To whom a change of an object may matter: whoever is called like it, whoever it says it belongs to, or said so before. */
import { controllerOf, keyOf, type Resource } from '../cluster/objects.ts';
import { LABELS } from '../resources/names.ts';
import type { Change } from './keeper.ts';

const LABEL: Readonly<Record<string, string>> = {
  Function: LABELS.function,
  MayflyGateway: LABELS.gateway,
};

/** Keys of objects of `owner`. */
export function ownersOf(
  { before, after }: Change,
  owner: Resource,
  owned: readonly Resource[],
): Set<string> {
  const keys = new Set<string>();
  for (const object of [before, after]) {
    if (object === undefined) continue;
    if (object.kind === owner.kind) keys.add(keyOf(object));
    if (!owned.some(({ kind }) => kind === object.kind)) continue;
    const { name, namespace = '', labels = {} } = object.metadata;
    const label = labels[LABEL[owner.kind] ?? ''];
    const controller = controllerOf(object);
    for (const wanted of [name, label, controller?.kind === owner.kind ? controller.name : undefined])
      if (wanted !== undefined) keys.add(keyOf({ metadata: { name: wanted, namespace } }));
  }
  return keys;
}
