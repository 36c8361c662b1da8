/** A gateway's place in its fleet. Without the section nothing of it is loaded. */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FleetPlan } from '../config/resolve.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { RateLimiter } from '../limits/gcra.ts';
import { RateLimit } from '../limits/limit.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Log } from '../observability/log.ts';

/** How long a start waits for the others; then it goes on without them. */
const JOIN_PATIENCE_MS = 2000;

/** What the fingerprints of callers start from: the same for all that share their limits, unknown to others. */
export function fleetSeed({ name, password }: FleetPlan): Uint8Array {
  return createHmac('sha256', password ?? '')
    .update(`mayfly rate limits\n${name}`)
    .digest()
    .subarray(0, 8);
}

export async function joinFleet(
  plan: FleetPlan,
  limiter: RateLimiter,
  snapshot: () => Snapshot,
  { logger: log }: Log,
): Promise<Fleet> {
  const { Fleet } = await import('../fleet/fleet.ts');
  const { host, port, user, password, name, intervalMs } = plan;
  const ca = plan.caFile === null ? null : readFileSync(plan.caFile, 'utf8');
  const store = `${host}:${port}`;
  const fleet = new Fleet({
    target: { host, port, tls: plan.secure ? { ca } : null, user, password },
    name,
    intervalMs,
    limiter,
    limitOf: limitsOf(snapshot),
    onUp: (others) => log.info({ store, others }, 'rate limits are shared with the fleet'),
    onDown: (why) =>
      log.warn(
        { store, why },
        'the store of the fleet is away; each gateway allows its part of the rate limits until it is back',
      ),
  });
  await fleet.joined(JOIN_PATIENCE_MS);
  return fleet;
}

/** The limits of the snapshot in force, by id. */
function limitsOf(snapshot: () => Snapshot): (id: number) => RateLimit | undefined {
  let known: Snapshot | null = null;
  let limits = new Map<number, RateLimit>();
  return (id) => {
    const current = snapshot();
    if (current !== known) {
      known = current;
      limits = new Map();
      for (const { rateLimit } of current.routes) {
        if (rateLimit === null) continue;
        const limit = new RateLimit(rateLimit);
        limits.set(limit.id, limit);
      }
    }
    return limits.get(id);
  };
}
