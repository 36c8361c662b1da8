/** Which Functions and pods belong to which gateway. */
import { keyOf, type KubeObject } from '../cluster/objects.ts';
import { FUNCTIONS, PODS } from '../cluster/resources.ts';
import { LABELS } from '../resources/names.ts';
import type { Known } from './keeper.ts';

/** The key of the gateway that a Function names; null: it names none, or is no Function. */
export function gatewayKey(object: KubeObject): string | null {
  const { gateway } = (object['spec'] ?? {}) as { gateway?: unknown };
  if (object.kind !== FUNCTIONS.kind || typeof gateway !== 'string') return null;
  return keyOf({ metadata: { ...object.metadata, name: gateway } });
}

/** Those that name the gateway, whether it can answer for them or not. */
export function functionsOf(gateway: KubeObject, known: Known): KubeObject[] {
  const key = keyOf(gateway);
  return known
    .all(FUNCTIONS.kind, gateway.metadata.namespace ?? '')
    .filter((object) => gatewayKey(object) === key && object.metadata.deletionTimestamp === undefined);
}

export function podsOf({ metadata: { name, namespace = '' } }: KubeObject, known: Known): KubeObject[] {
  return known.all(PODS.kind, namespace).filter(({ metadata }) => metadata.labels?.[LABELS.gateway] === name);
}
