/**
 * Which of several operators acts. The rules of client-go's leader election
 * (https://pkg.go.dev/k8s.io/client-go/tools/leaderelection): a lease that nobody renews may be taken; how old it is, is
 * measured by the own clock from when its last change was seen, so that clocks need not agree.
 */
import type { KubeObject } from '../cluster/objects.ts';
import { LEASES } from '../cluster/resources.ts';

/** How long a lease holds without being renewed, in how long its holder gives up, how often all of them look. */
export const TERMS = { lastsMs: 15_000, renewWithinMs: 10_000, everyMs: 2_000 } as const;

export interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

/** A lease, and when this state of it was first seen here. */
export interface SeenLease {
  readonly lease: KubeObject | null;
  readonly seenAt: number;
}

/** The lease as `identity` wants to write it; null: it is another's. */
export function claim({ lease, seenAt }: SeenLease, at: LeasePlace, now: number): KubeObject | null {
  const { namespace, name, identity } = at;
  const spec = (lease?.['spec'] ?? {}) as LeaseSpec;
  const holder = spec.holderIdentity ?? '';
  const lasts = (spec.leaseDurationSeconds ?? 0) * 1000;
  if (holder !== '' && holder !== identity && now < seenAt + lasts) return null;
  const time = microTime(now);
  const mine = holder === identity;
  return {
    apiVersion: LEASES.apiVersion,
    kind: LEASES.kind,
    metadata: lease?.metadata ?? { name, namespace },
    spec: {
      holderIdentity: identity,
      leaseDurationSeconds: TERMS.lastsMs / 1000,
      acquireTime: mine ? (spec.acquireTime ?? time) : time,
      renewTime: time,
      leaseTransitions: (spec.leaseTransitions ?? 0) + (mine || lease === null ? 0 : 1),
    } satisfies LeaseSpec,
  };
}

/** The lease given back, so that another need not wait for its end. */
export function released(lease: KubeObject, now: number): KubeObject {
  const spec = lease['spec'] as LeaseSpec;
  return {
    ...lease,
    spec: { ...spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(now) },
  };
}

export interface LeasePlace {
  readonly namespace: string;
  readonly name: string;
  /** Of this process, and of no other at any time. */
  readonly identity: string;
}

/** `metav1.MicroTime` */
function microTime(now: number): string {
  return new Date(now).toISOString().replace('Z', '000Z');
}
