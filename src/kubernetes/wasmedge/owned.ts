/** What all objects have in common that belong to a Function. */
import type { KubeObject, Metadata, OwnerReference } from '../cluster/objects.ts';
import { API_VERSION, FIELD_MANAGER, LABELS } from '../resources/names.ts';

/** A Function, as far as its objects need to know it. */
export interface Owner {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
}

export function ownerOf({ metadata }: KubeObject): Owner {
  const { name, namespace = '', uid = '' } = metadata;
  return { name, namespace, uid };
}

/** The selector of a Function's pods. Kubernetes lets nobody change it later. */
export function podLabels({ name }: Owner): Record<string, string> {
  return { [LABELS.function]: name };
}

export function ownedMetadata(owner: Owner): Metadata {
  const { name, namespace, uid } = owner;
  return {
    name,
    namespace,
    labels: {
      [LABELS.name]: name,
      [LABELS.partOf]: 'mayfly',
      [LABELS.managedBy]: FIELD_MANAGER,
      ...podLabels(owner),
    },
    ownerReferences: [
      { apiVersion: API_VERSION, kind: 'Function', name, uid, controller: true, blockOwnerDeletion: true },
    ] satisfies OwnerReference[],
  };
}
