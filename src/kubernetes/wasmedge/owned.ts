/** What all objects have in common that belong to a Function. */
import type { KubeObject, Metadata, OwnerReference } from '../cluster/objects.ts';
import { API_VERSION, FIELD_MANAGER, LABELS } from '../resources/names.ts';

/** Whose objects they are, as far as they need to know it. */
export interface Owner {
  readonly name: string;
  /** undefined: whichever they are applied to. */
  readonly namespace: string | undefined;
  /** Of the Function in the cluster; null where there is none, and the objects stand for themselves. */
  readonly uid: string | null;
}

export function ownerOf({ metadata }: KubeObject): Owner {
  const { name, namespace, uid = '' } = metadata;
  return { name, namespace, uid };
}

/** The selector of a Function's pods. Kubernetes lets nobody change it later. */
export function podLabels({ name }: Owner): Record<string, string> {
  return { [LABELS.function]: name };
}

export function ownedMetadata(owner: Owner): Metadata {
  const { name, namespace, uid } = owner;
  const labels = { [LABELS.name]: name, [LABELS.partOf]: 'mayfly', ...podLabels(owner) };
  const place = { name, ...(namespace === undefined ? {} : { namespace }) };
  if (uid === null) return { ...place, labels };
  const reference: OwnerReference = {
    apiVersion: API_VERSION,
    kind: 'Function',
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  return { ...place, labels: { ...labels, [LABELS.managedBy]: FIELD_MANAGER }, ownerReferences: [reference] };
}
