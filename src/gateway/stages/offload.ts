import { monotonicNow } from '../../limits/monotonic.ts';
import { functionCounter } from '../../observability/definitions.ts';
import type { Outcome } from '../../runtime/guest.ts';
import type { Call } from '../call.ts';
import type { ActiveRevision } from '../deployment.ts';
import type { Gateway } from '../gateway.ts';
import type { LaneAnswer, NotRun } from '../lane-protocol.ts';
import type { LaneTicket } from '../lanes.ts';
import { guestFailed, overloaded, trapCounter, unavailable } from '../refusals.ts';
import { INVOKE, WAIT, type Verdict } from '../verdict.ts';
import { respond } from './respond.ts';

/** Sends the request to a lane. Its place among the function's concurrent requests is held until the lane is done with it, even when the client left. */
export function offload(gateway: Gateway, call: Call): Verdict {
  const active = call.active as ActiveRevision;
  const slot = call.slot();
  const { turn } = call;
  const source = gateway.frame.show(call);
  const frame = new ArrayBuffer(source.frameLength());
  source.writeFrame(Buffer.from(frame), 0);
  call.admitted = false;
  const ticket: LaneTicket = {
    function: active.revision.function,
    job: {
      id: gateway.nextJobId(),
      revision: active.revision.id,
      frame,
      budgetMs: active.revision.limits.cpuBudgetMs,
      deadlineMs: monotonicNow() + call.remainingMs(),
    },
    patienceMs: active.revision.limits.queueTimeoutMs,
    settle: (answer) => {
      gateway.concurrency.leave(slot);
      if (answer !== null) {
        const isBack = active.pace.ranInLane(answer);
        if (isBack) gateway.lanes.recall(active.revision.function);
        gateway.metrics.add(slot, functionCounter.cpuSeconds, answer.cpuMs / 1000);
        if (isFailure(answer.outcome)) gateway.metrics.add(slot, trapCounter(answer.outcome), 1);
      }
      if (!call.waited(turn)) return;
      call.mark(INVOKE);
      settle(gateway, call, answer);
      gateway.lifecycle.finish(call);
    },
    dropped: () => {
      gateway.concurrency.leave(slot);
      if (!call.waited(turn)) return;
      call.mark(INVOKE);
      overloaded(gateway, call, functionCounter.queueTimeout);
      gateway.lifecycle.finish(call);
    },
    recalled: () => {
      if (!call.waited(turn)) return gateway.concurrency.leave(slot);
      call.admitted = true;
      return gateway.lifecycle.resume(call, INVOKE);
    },
  };
  call.wait(() => {
    if (gateway.lanes.withdraw(ticket)) gateway.concurrency.leave(slot);
  });
  gateway.metrics.add(slot, functionCounter.offloaded, 1);
  gateway.lanes.submit(ticket);
  return WAIT;
}

function settle(gateway: Gateway, call: Call, answer: LaneAnswer | null): void {
  if (answer === null || isNotRun(answer.outcome)) return unavailable(call);
  if (answer.logs !== null) gateway.outbox.guestLogs(call, answer.logs);
  if (answer.outcome !== 'answered') return guestFailed(call, answer.outcome);
  const bytes = Buffer.from(answer.bytes);
  respond(call, {
    status: answer.status,
    headers: bytes.subarray(0, answer.headersLength),
    body: bytes,
    bodyStart: answer.headersLength,
    bodyEnd: bytes.length,
  });
}

function isFailure(outcome: LaneAnswer['outcome']): outcome is Exclude<Outcome, 'answered'> {
  return outcome !== 'answered' && !isNotRun(outcome);
}

function isNotRun(outcome: LaneAnswer['outcome']): outcome is NotRun {
  return outcome === 'unknown-revision' || outcome === 'no-instance' || outcome === 'too-late';
}
