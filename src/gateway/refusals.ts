import type { ProblemCode } from '../model/problems.ts';
import type { Outcome } from '../runtime/guest.ts';
import type { Call } from './call.ts';
import type { Gateway } from './gateway.ts';

export const RETRY_SOON = Buffer.from('retry-after: 1\r\n');

/** 503: no place, no instance, or too long in line. */
export function overloaded(gateway: Gateway, call: Call): void {
  gateway.metrics.overloaded(call.slot());
  call.requestId();
  call.exchange.problem('overloaded', { headers: RETRY_SOON });
}

/** 503: something that the request needs is not there just now. */
export function unavailable(call: Call): void {
  call.requestId();
  call.exchange.problem('unavailable', { headers: RETRY_SOON });
}

const codes: Readonly<Record<Exclude<Outcome, 'answered'>, ProblemCode>> = {
  'cpu-exceeded': 'function-timeout',
  trapped: 'function-failed',
  'out-of-memory': 'function-failed',
  'stack-overflow': 'function-failed',
  'invalid-response': 'function-failed',
  'response-too-large': 'response-too-large',
};

/** The guest did not answer: say which way it went, without its insides. */
export function guestFailed(call: Call, outcome: Outcome): void {
  call.requestId();
  call.exchange.problem(outcome === 'answered' ? 'function-failed' : codes[outcome]);
}
