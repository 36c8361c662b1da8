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
  const { concurrency, lifecycle } = gateway;
  const { maxConcurrentRequests, queueSize, queueTimeoutMs } = call.revision().limits;
  const { turn } = call;
  // The line may call the waiter before `enter` returns; then the request has not begun to wait.
  const since = performance.now();
  let early = true;
  let entered = false;
  let dropped = false;
  const waiter = {
    onEntered() {
      if (early) entered = true;
      else if (!call.waited(turn)) concurrency.leave(slot);
      else {
        call.admitted = true;
        gateway.metrics.queueWait(slot, (performance.now() - since) * 1000);
        call.mark(ADMIT);
        lifecycle.resume(call, INVOKE);
      }
    },
    onDropped() {
      if (early) dropped = true;
      else if (call.waited(turn)) {
        overloaded(gateway, call, functionCounter.queueTimeout);
        lifecycle.finish(call);
      }
    },
  };
  const result = concurrency.enter(slot, maxConcurrentRequests, queueSize, queueTimeoutMs, waiter);
  early = false;
  if (result === 'entered' || entered) {
    call.admitted = true;
    return NEXT;
  }
  if (result === 'full' || dropped) {
    overloaded(gateway, call, functionCounter.queueFull);
    return ANSWERED;
  }
  call.wait(() => {
    if (concurrency.withdraw(slot, waiter)) gateway.metrics.add(slot, functionCounter.queueAborted, 1);
  });
  return WAIT;
}
