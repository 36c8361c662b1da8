import { performance } from 'node:perf_hooks';
import { functionCounter } from '../../observability/definitions.ts';
import type { Call } from '../call.ts';
import type { Gateway } from '../gateway.ts';
import { overloaded } from '../refusals.ts';
import { ADMIT, ANSWERED, INVOKE, NEXT, WAIT, type Verdict } from '../verdict.ts';

/** Is there a place for it? If not it waits in line, as long as the line is short and its time is not up. */
export function admit(gateway: Gateway, call: Call): Verdict {
  const { limits } = call.revision();
  const slot = call.slot();
  const { concurrency } = gateway;
  if (concurrency.tryEnter(slot, limits.maxConcurrentRequests)) {
    call.admitted = true;
    return NEXT;
  }
  return waitInLine(gateway, call, slot);
}

function waitInLine(gateway: Gateway, call: Call, slot: number): Verdict {
  const { concurrency, lifecycle, metrics } = gateway;
  const { maxConcurrentRequests, queueSize, queueTimeoutMs } = call.revision().limits;
  const { turn } = call;
  const since = performance.now();
  const waiter = {
    onEntered() {
      if (!call.waited(turn)) return concurrency.leave(slot);
      call.admitted = true;
      metrics.queueWait(slot, (performance.now() - since) * 1000);
      call.mark(ADMIT);
      return lifecycle.resume(call, INVOKE);
    },
    onDropped() {
      if (!call.waited(turn)) return;
      overloaded(gateway, call, functionCounter.queueTimeout);
      lifecycle.finish(call);
    },
  };
  const result = concurrency.enter(slot, maxConcurrentRequests, queueSize, queueTimeoutMs, waiter);
  if (result === 'entered') {
    call.admitted = true;
    return NEXT;
  }
  if (result === 'full') {
    overloaded(gateway, call, functionCounter.queueFull);
    return ANSWERED;
  }
  call.wait(() => {
    if (concurrency.withdraw(slot, waiter)) metrics.add(slot, functionCounter.queueAborted, 1);
  });
  return WAIT;
}
