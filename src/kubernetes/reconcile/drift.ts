/** Whether an object must be applied. A state that is as it should be costs no write. */
import { createHash } from 'node:crypto';
import type { KubeObject } from '../cluster/objects.ts';
import { ANNOTATIONS } from '../resources/names.ts';

/** With the hash of what is wanted in an annotation: how we tell later that we wanted something else. */
export function stamped(wanted: KubeObject): KubeObject {
  const hash = createHash('sha256').update(JSON.stringify(wanted)).digest('hex').slice(0, 16);
  const annotations = { ...wanted.metadata.annotations, [ANNOTATIONS.applied]: hash };
  return { ...wanted, metadata: { ...wanted.metadata, annotations } };
}

/**
 * True when something that is ours in `wanted` (stamped) is not so in `found`. What others added, and defaults of the API
 * server, are not looked at. That a field of ours is gone from `wanted` shows in the stamp.
 */
export function hasDrifted(wanted: KubeObject, found: KubeObject): boolean {
  return !covers(found, wanted);
}

function covers(found: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) return Array.isArray(found) && coversList(found, wanted);
  if (isMapping(wanted)) {
    if (!isMapping(found)) return false;
    return Object.entries(wanted).every(([key, value]) => covers(found[key], value));
  }
  return found === wanted;
}

/** Lists whose items have names are merged by the API server: others may have added to them. The rest is ours as a whole. */
function coversList(found: readonly unknown[], wanted: readonly unknown[]): boolean {
  if (wanted.length > 0 && wanted.every(isNamed)) {
    return wanted.every((item) =>
      found.some((other) => isNamed(other) && other.name === item.name && covers(other, item)),
    );
  }
  return found.length === wanted.length && wanted.every((item, index) => covers(found[index], item));
}

function isNamed(value: unknown): value is { readonly name: unknown } {
  return isMapping(value) && 'name' in value;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
