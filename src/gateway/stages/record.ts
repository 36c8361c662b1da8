import { performance } from 'node:perf_hooks';
import type { ProblemCode } from '../../model/problems.ts';
import type { Call } from '../call.ts';
import type { ActiveRevision } from '../deployment.ts';
import type { Gateway } from '../gateway.ts';
import { ROUTE } from '../verdict.ts';
import { STAGES } from '../../observability/definitions.ts';

/** What is recorded as the status of a request whose client did not wait for the answer (nginx's convention). */
const CLIENT_CLOSED_REQUEST = 499;

/** The request is over: gives its place back and counts it. */
export function record(gateway: Gateway, call: Call): void {
  const { exchange, route } = call;
  if (call.admitted) {
    call.admitted = false;
    gateway.concurrency.leave(call.slot());
  }
  const status = exchange.status === 0 ? CLIENT_CLOSED_REQUEST : exchange.status;
  const { metrics } = gateway;
  if (route === null) {
    if (exchange.problemCode !== null) metrics.rejected(exchange.problemCode);
  } else {
    const microseconds = (performance.now() - call.startedMs) * 1000;
    const { slot, slowMs } = route.deployment.spec;
    metrics.answered(
      slot,
      status,
      microseconds,
      exchange.bodyEnd - exchange.bodyStart,
      exchange.responseBytes,
    );
    if (call.invoked && !isOurs(exchange.problemCode)) {
      const isSlow = slowMs !== null && microseconds > slowMs * 1000;
      metrics.revisionAnswered(slot, (call.active as ActiveRevision).track, status >= 500, isSlow);
    }
  }
  if (!call.sampled) return;
  for (let stage = ROUTE; stage < STAGES.length; stage++) {
    if (call.stageMs[stage] > 0) metrics.stage(stage, call.stageMs[stage] * 1000);
  }
  if (gateway.tables.snapshot.traceRequests) trace(gateway, call, status);
}

/** What happened for lack of room, and would have happened with any revision. */
function isOurs(problem: ProblemCode | null): boolean {
  return problem === 'overloaded' || problem === 'unavailable';
}

function trace(gateway: Gateway, call: Call, status: number): void {
  const stages: Record<string, number> = {};
  STAGES.forEach((name, stage) => {
    if (call.stageMs[stage] > 0) stages[name] = Math.round(call.stageMs[stage] * 10_000) / 10;
  });
  gateway.outbox.trace({
    method: call.method(),
    path: call.path(),
    status,
    function: call.route?.spec.function ?? '',
    requestId: call.requestId(),
    stages,
  });
}
