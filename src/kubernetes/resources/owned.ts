/** What all objects have in common that belong to a Function or a MayflyGateway. */
import type { KubeObject, Metadata, OwnerReference } from '../cluster/objects.ts';
import { API_VERSION, FIELD_MANAGER, LABELS } from './names.ts';

/** Whose objects they are, as far as they need to know it. */
export interface Owner {
  readonly kind: 'Function' | 'MayflyGateway';
  readonly name: string;
  /** undefined: whichever they are applied to. */
  readonly namespace: string | undefined;
  /** Of the owner in the cluster; null where there is none, and the objects stand for themselves. */
  readonly uid: string | null;
}

const LABEL = { Function: LABELS.function, MayflyGateway: LABELS.gateway } as const;

export function ownerOf({ kind, metadata }: KubeObject): Owner {
  const { name, namespace, uid = '' } = metadata;
  return { kind: kind as Owner['kind'], name, namespace, uid };
}

/** The selector of an owner's pods. Kubernetes lets nobody change it later. */
export function podLabels({ kind, name }: Owner): Record<string, string> {
  return { [LABEL[kind]]: name };
}

/** `name`: where it is not the owner's. */
export function ownedMetadata(owner: Owner, name: string = owner.name): Metadata {
  const { kind, namespace, uid } = owner;
  const labels = { [LABELS.name]: owner.name, [LABELS.partOf]: 'mayfly', ...podLabels(owner) };
  const place = { name, ...(namespace === undefined ? {} : { namespace }) };
  if (uid === null) return { ...place, labels };
  const reference: OwnerReference = {
    apiVersion: API_VERSION,
    kind,
    name: owner.name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  return { ...place, labels: { ...labels, [LABELS.managedBy]: FIELD_MANAGER }, ownerReferences: [reference] };
}
