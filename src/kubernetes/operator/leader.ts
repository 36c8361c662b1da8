/** Waits for the lease, leads while it holds, and gives it back at the end. */
import type { Cluster } from '../cluster/cluster.ts';
import type { KubeObject } from '../cluster/objects.ts';
import { LEASES } from '../cluster/resources.ts';
import { claim, type LeasePlace, released, type SeenLease, TERMS } from './lease.ts';
import type { Time } from './time.ts';

export interface LeadershipOptions {
  readonly cluster: Cluster;
  readonly time: Time;
  readonly place: LeasePlace;
  /** Called each time that this process becomes the leader; must end soon after `signal`. */
  lead(signal: AbortSignal): Promise<void>;
  onChange(leading: boolean): void;
  onFailure(error: unknown): void;
}

/** Until `signal`. */
export async function runLeadership(options: LeadershipOptions, signal: AbortSignal): Promise<void> {
  const { cluster, time, onChange } = options;
  let seen: SeenLease = { lease: null, seenAt: -Infinity };
  while (!signal.aborted) {
    const held = await tryClaim(options, seen);
    seen = held.seen;
    if (held.lease === null) {
      await time.sleep(TERMS.everyMs, signal);
      continue;
    }
    const lost = new AbortController();
    const leading = AbortSignal.any([signal, lost.signal]);
    onChange(true);
    const work = options.lead(leading).catch((error: unknown) => {
      options.onFailure(error);
      lost.abort();
    });
    const last = await renew(options, held.lease, leading);
    lost.abort();
    await work;
    onChange(false);
    if (last !== null) await cluster.replace(released(last, time.now())).catch(options.onFailure);
    seen = { lease: null, seenAt: -Infinity };
  }
}

/** Renews until it fails for too long or `signal`. The lease as it was last written; null when it is not ours any more. */
async function renew(
  options: LeadershipOptions,
  first: KubeObject,
  signal: AbortSignal,
): Promise<KubeObject | null> {
  const { time } = options;
  let seen: SeenLease = { lease: first, seenAt: time.now() };
  let renewedAt = time.now();
  while (true) {
    await time.sleep(TERMS.everyMs, signal);
    if (signal.aborted) return seen.lease;
    // An API server that does not answer must not make a leader of the past act on.
    const left = Math.max(0, renewedAt + TERMS.renewWithinMs - time.now());
    const held = await Promise.race([tryClaim(options, seen), time.sleep(left, signal)]);
    if (held === undefined) return signal.aborted ? seen.lease : null;
    seen = held.seen;
    if (held.lease !== null) renewedAt = time.now();
    else if (held.taken) return null;
  }
}

interface Claimed {
  /** As written; null: it is not ours, or that could not be found out. */
  readonly lease: KubeObject | null;
  readonly taken: boolean;
  readonly seen: SeenLease;
}

async function tryClaim(options: LeadershipOptions, known: SeenLease): Promise<Claimed> {
  const { cluster, time, place } = options;
  let seen = known;
  try {
    const lease = await cluster.get(LEASES, place.namespace, place.name);
    const same = lease?.metadata.resourceVersion === known.lease?.metadata.resourceVersion;
    seen = { lease, seenAt: same ? known.seenAt : time.now() };
    const wanted = claim(seen, place, time.now());
    if (wanted === null) return { lease: null, taken: true, seen };
    const written = await (lease === null ? cluster.create(wanted) : cluster.replace(wanted));
    return { lease: written, taken: false, seen: { lease: written, seenAt: time.now() } };
  } catch (error) {
    options.onFailure(error);
    return { lease: null, taken: false, seen };
  }
}
