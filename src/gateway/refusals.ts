import type { ProblemCode } from '../model/problems.ts';
import { functionCounter } from '../observability/definitions.ts';
import type { Outcome } from '../runtime/guest.ts';
import type { Call } from './call.ts';
import type { Gateway } from './gateway.ts';

export const RETRY_SOON = Buffer.from('retry-after: 1\r\n');

/** 503: no place, no instance, or too long in line; `counter` (functionCounter) says which. */
export function overloaded(gateway: Gateway, call: Call, counter: number): void {
  gateway.metrics.add(call.slot(), counter, 1);
  call.requestId();
  call.exchange.problem('overloaded', { headers: RETRY_SOON });
}

const SHED = { headers: RETRY_SOON };

/** 503: the thread has more to do than it carries. Nothing is made for this answer, not even an id: it has to be cheap. */
export function tooLate(gateway: Gateway, call: Call): void {
  gateway.metrics.add(call.slot(), functionCounter.shed, 1);
  call.exchange.problem('overloaded', SHED);
}

/** 503: something that the request needs is not there just now. */
export function unavailable(call: Call): void {
  call.requestId();
  call.exchange.problem('unavailable', { headers: RETRY_SOON });
}

interface Failure {
  readonly problem: ProblemCode;
  /** Cell of functionCounter. */
  readonly counter: number;
}

const failures: Readonly<Record<Exclude<Outcome, 'answered'>, Failure>> = {
  'cpu-exceeded': { problem: 'function-timeout', counter: functionCounter.trapCpu },
  trapped: { problem: 'function-failed', counter: functionCounter.trap },
  'out-of-memory': { problem: 'function-failed', counter: functionCounter.trapMemory },
  'stack-overflow': { problem: 'function-failed', counter: functionCounter.trapStack },
  'invalid-response': { problem: 'function-failed', counter: functionCounter.trapResponse },
  'response-too-large': { problem: 'response-too-large', counter: functionCounter.trapResponse },
};

/** The guest did not answer: say which way it went, without its insides. */
export function guestFailed(call: Call, outcome: Exclude<Outcome, 'answered'>): void {
  call.requestId();
  call.exchange.problem(failures[outcome].problem);
}

/** Which counter such an end is counted by. */
export function trapCounter(outcome: Exclude<Outcome, 'answered'>): number {
  return failures[outcome].counter;
}
