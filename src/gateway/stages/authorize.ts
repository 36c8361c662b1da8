import { functionCounter } from '../../observability/definitions.ts';
import { askOpa } from '../../policy/opa-rest.ts';
import { PolicyEvaluationError } from '../../policy/types.ts';
import type { Call } from '../call.ts';
import type { Gateway } from '../gateway.ts';
import type { PolicyInput } from '../policy-input.ts';
import { ADMIT, ANSWERED, NEXT, WAIT, type Verdict } from '../verdict.ts';

/** May it? The policy says true, or the answer is no. A policy that fails is a no as well, and says so. */
export function authorize(gateway: Gateway, call: Call): Verdict {
  const { decide, remoteOpa } = call.found();
  if (decide === null && remoteOpa === null) return NEXT;
  const input = call.policyInput();
  if (decide === null) return askElsewhere(gateway, call, remoteOpa as string, snapshotOf(input));
  let decision: unknown;
  try {
    decision = decide(input);
  } catch (error) {
    return failed(gateway, call, error);
  }
  return settle(gateway, call, input, decision === true);
}

function settle(gateway: Gateway, call: Call, input: PolicyInput, allowed: boolean): Verdict {
  logDecision(gateway, call, input, allowed);
  if (allowed) return NEXT;
  gateway.metrics.add(call.slot(), functionCounter.denied, 1);
  call.requestId();
  call.exchange.problem('forbidden');
  return ANSWERED;
}

function failed(gateway: Gateway, call: Call, error: unknown): Verdict {
  gateway.outbox.warn(
    `The policy of route ${call.found().spec.id} failed, the request was denied: ${String(error)}`,
  );
  call.requestId();
  call.exchange.problem(error instanceof PolicyEvaluationError ? error.problem : 'policy-failed');
  return ANSWERED;
}

/** The input as it is now: the object itself shows the session's next request by the time an answer comes. */
function snapshotOf(input: PolicyInput): PolicyInput {
  return JSON.parse(JSON.stringify(input)) as PolicyInput;
}

/** `policy.opa_url`: a running OPA decides, over its REST API. */
function askElsewhere(gateway: Gateway, call: Call, url: string, input: PolicyInput): Verdict {
  call.wait(null);
  const { turn } = call;
  const entrypoint = call.found().spec.policy?.entrypoint ?? '';
  askOpa(url, entrypoint, input, call.remainingMs()).then(
    (decision) => {
      if (!call.waited(turn)) return;
      if (settle(gateway, call, input, decision === true) === NEXT) gateway.lifecycle.resume(call, ADMIT);
      else gateway.lifecycle.finish(call);
    },
    (error: unknown) => {
      if (!call.waited(turn)) return;
      failed(gateway, call, error);
      gateway.lifecycle.finish(call);
    },
  );
  return WAIT;
}

function logDecision(gateway: Gateway, call: Call, input: PolicyInput, allowed: boolean): void {
  const { decisionLog } = gateway;
  const { policy } = call.found().spec;
  if (decisionLog === null || policy === null || !decisionLog.wants(allowed, Math.random())) return;
  const time = Date.now();
  const { policy: id, entrypoint } = policy;
  const decision = { policy: id, entrypoint, allowed, input, requestId: call.requestId(), time };
  gateway.outbox.decision(decisionLog.record(decision));
}
