/** What the operator says of an object: a write where that is news, and an event where Ready turns. Pure. */
import type { KubeObject } from '../cluster/objects.ts';
import { type Condition, conditionsFrom, type Finding } from '../resources/status.ts';
import type { Action } from './actions.ts';

interface Status {
  readonly observedGeneration?: number | undefined;
  readonly conditions?: readonly Condition[] | undefined;
}

/** Reasons for not being ready that pass by themselves. */
const PASSING = new Set(['NoPods', 'RollingOut']);

/** Nothing when the status is there already. `numbers`: what it says beside its conditions. */
export function report(
  object: KubeObject,
  findings: readonly Finding[],
  numbers: object,
  now: number,
): Action[] {
  const before = (object['status'] ?? {}) as Status;
  const generation = object.metadata.generation ?? 0;
  const status = {
    observedGeneration: generation,
    ...numbers,
    conditions: conditionsFrom(findings, before.conditions ?? [], generation, now),
  };
  if (canonical(status) === canonical(before)) return [];
  return [{ do: 'status', object, status }, ...turn(object, before.conditions ?? [], findings)];
}

/** An event when Ready changes its status or its reason. */
function turn(object: KubeObject, before: readonly Condition[], findings: readonly Finding[]): Action[] {
  const known = before.find(({ type }) => type === 'Ready');
  const ready = findings.find(({ type }) => type === 'Ready') as Finding;
  if (known?.status === ready.status && known.reason === ready.reason) return [];
  const type = ready.status === 'True' || PASSING.has(ready.reason) ? 'Normal' : 'Warning';
  const { reason, message } = ready;
  return [{ do: 'event', about: object, event: { type, reason, message } }];
}

/** The API server gives mappings back in an order of its own, and nothing for what is undefined. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
