import { performance } from 'node:perf_hooks';
import { functionCounter } from '../../observability/definitions.ts';
import type { Guest } from '../../runtime/guest.ts';
import { DIRTY_PAGE_BYTES } from '../../runtime/prepare/layout.ts';
import type { Call } from '../call.ts';
import type { ActiveRevision } from '../deployment.ts';
import type { Gateway } from '../gateway.ts';
import { INLINE_BUDGET_MS } from '../pace.ts';
import { guestFailed, overloaded, trapCounter } from '../refusals.ts';
import { ANSWERED, INVOKE, type Verdict } from '../verdict.ts';
import { offload } from './offload.ts';
import { respond } from './respond.ts';

/** Putting back so many takes time that counts. */
const MANY_PAGES = 256;

/**
 * Runs the function: on this thread where it is quick, in a lane where it has shown to be slow. A run that overstays
 * here is stopped and forgotten (its state is thrown away anyway, and it cannot have had any effect outside). It is begun
 * anew: here, once, when it was not known whether the function or the machine took the time; then in a lane, with its
 * whole budget.
 */
export function invoke(gateway: Gateway, call: Call): Verdict {
  const active = call.active as ActiveRevision;
  const nowMs = performance.now();
  call.invoked = true;
  if (!active.pace.inline(nowMs)) return offload(gateway, call);
  return runInline(gateway, call, active, nowMs, active.pace.inDoubt ? process.threadCpuUsage() : null);
}

/** `began`: CPU time of the thread at the start of the run, null when elapsed time is good enough. */
function runInline(
  gateway: Gateway,
  call: Call,
  active: ActiveRevision,
  startedMs: number,
  began: NodeJS.CpuUsage | null,
): Verdict {
  const guest = takeGuest(gateway, call, active, startedMs);
  if (guest === null) return ANSWERED;
  const { cpuBudgetMs } = active.revision.limits;
  const inlineMs = Math.min(INLINE_BUDGET_MS, cpuBudgetMs);
  const budgetMs = Math.max(1, Math.min(inlineMs, call.deadlineMs - startedMs));
  const outcome = guest.run(gateway.frame.show(call), budgetMs);
  const ranMs = performance.now();
  gateway.metrics.add(call.slot(), functionCounter.cpuSeconds, (ranMs - startedMs) / 1000);
  call.mark(INVOKE);

  if (outcome === 'cpu-exceeded' && inlineMs < cpuBudgetMs) {
    giveBack(gateway, call, active, guest);
    if (began === null) return runInline(gateway, call, active, ranMs, process.threadCpuUsage());
    active.pace.overran(cpuMsSince(began), ranMs);
    return offload(gateway, call);
  }
  if (guest.logs !== null) gateway.outbox.guestLogs(call, guest.logs);
  if (outcome === 'answered') {
    respond(call, guest.response);
  } else {
    gateway.metrics.add(call.slot(), trapCounter(outcome), 1);
    guestFailed(call, outcome);
  }
  const restored = giveBack(gateway, call, active, guest);
  const endedMs = guest.restoredPages > MANY_PAGES ? performance.now() : ranMs;
  const tookMs = began === null ? endedMs - startedMs : cpuMsSince(began);
  active.pace.ranInline(tookMs, began !== null, !restored, endedMs);
  return ANSWERED;
}

function cpuMsSince(began: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(began);
  return (user + system) / 1000;
}

/** An idle instance, or a new one (a cold start). Null: there is none to be had, and the request was told so. */
function takeGuest(gateway: Gateway, call: Call, active: ActiveRevision, nowMs: number): Guest | null {
  const idle = active.pool.take(nowMs);
  if (idle !== null) return idle;
  let guest: Guest | null;
  try {
    guest = gateway.pools.grow(active.pool);
  } catch (error) {
    gateway.outbox.warn(`Cannot start an instance of ${active.revision.id}: ${String(error)}`);
    guestFailed(call, 'trapped');
    return null;
  }
  if (guest === null) overloaded(gateway, call, functionCounter.queueFull);
  else gateway.metrics.coldStart(call.slot(), (performance.now() - nowMs) * 1000);
  return guest;
}

/** Restores the instance for the next request; one that cannot be restored (false) is replaced when it is next needed. */
function giveBack(gateway: Gateway, call: Call, active: ActiveRevision, guest: Guest): boolean {
  const { metrics } = gateway;
  const slot = call.slot();
  if (guest.restore()) {
    metrics.add(slot, functionCounter.restores, 1);
    metrics.add(slot, functionCounter.restoredPages, guest.restoredPages);
    metrics.add(slot, functionCounter.restoredBytes, guest.restoredPages * DIRTY_PAGE_BYTES);
    active.pool.give(guest);
    return true;
  }
  active.pool.discard(guest);
  metrics.add(slot, functionCounter.discards, 1);
  return false;
}
