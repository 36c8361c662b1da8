import { LimitKey } from '../../limits/key.ts';
import { monotonicNow } from '../../limits/monotonic.ts';
import { functionCounter } from '../../observability/definitions.ts';
import type { Call } from '../call.ts';
import type { Gateway } from '../gateway.ts';
import type { RouteLimit } from '../tables.ts';
import { ANSWERED, NEXT, type Verdict } from '../verdict.ts';

/** Counts the request against its rate limit. Leaves in `call.remaining` how many more would pass right now. */
export function limit(gateway: Gateway, call: Call): Verdict {
  const routeLimit = call.found().limit;
  if (routeLimit === null) return NEXT;
  const { limiter } = gateway;
  call.remaining = limiter.take(keyOf(gateway, call, routeLimit), routeLimit.plan.limit, monotonicNow());
  call.retryAfterMs = limiter.retryAfterMs;
  if (call.remaining >= 0) return NEXT;
  gateway.metrics.add(call.slot(), functionCounter.rateLimited, 1);
  call.requestId();
  const headers = Buffer.allocUnsafe(routeLimit.headers.maxBytes);
  const length = routeLimit.headers.writeRefused(headers, 0, call.retryAfterMs);
  call.exchange.problem('rate-limited', { headers: headers.subarray(0, length) });
  return ANSWERED;
}

/** A key that depends on the signed-in user alone is hashed once and kept with the session. */
function keyOf(gateway: Gateway, call: Call, { plan }: RouteLimit): LimitKey {
  // A token without `sub` counts by address, which may change under the same token.
  if (call.subject() === null || !plan.perSession)
    return plan.keyOf(call, gateway.keyHash, gateway.scratchKey);
  const state = call.sessionRoute();
  state.limitKey ??= plan.keyOf(call, gateway.keyHash, new LimitKey());
  return state.limitKey;
}
