import type { Call } from '../call.ts';
import type { Gateway } from '../gateway.ts';
import { STAGES } from '../verdict.ts';

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
  const slot = route === null ? -1 : route.deployment.spec.slot;
  const { metrics } = gateway;
  metrics.request(slot, status, performance.now() - call.startedMs, exchange.bodyEnd - exchange.bodyStart);
  if (!call.sampled) return;
  for (let stage = 0; stage < STAGES.length; stage++) metrics.stage(stage, call.stageMs[stage]);
  if (gateway.tables.snapshot.traceRequests) trace(gateway, call, status);
}

function trace(gateway: Gateway, call: Call, status: number): void {
  const stages: Record<string, number> = {};
  STAGES.forEach((name, stage) => {
    if (call.stageMs[stage] > 0) stages[name] = Math.round(call.stageMs[stage] * 1000);
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
