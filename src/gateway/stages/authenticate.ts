import { AUTHORIZATION } from '../../http/fields.ts';
import { functionCounter } from '../../observability/definitions.ts';
import { AuthFailure, failures } from '../auth/failure.ts';
import type { Verdict as AuthVerdict } from '../auth/authenticator.ts';
import type { Call } from '../call.ts';
import type { Gateway } from '../gateway.ts';
import { headerLine } from '../header-line.ts';
import { RETRY_SOON } from '../refusals.ts';
import { ANSWERED, LIMIT, NEXT, WAIT, type Verdict } from '../verdict.ts';

/**
 * Who is it? A token that was seen before costs one look into the cache, a new HS256 token one HMAC; one signed with a
 * public key takes a moment, and the request waits for it.
 */
export function authenticate(gateway: Gateway, call: Call): Verdict {
  const { auth } = call.found().spec;
  const { authenticator } = gateway;
  if (auth === 'public' || authenticator === null) return NEXT;
  const { head, bytes } = call.exchange;
  const row = head.row(AUTHORIZATION);
  if (row < 0) return auth === 'optional' ? NEXT : refuse(gateway, call, failures.missing);
  const start = head.valueStart(row);
  const verdict = authenticator.authenticate(bytes, start, head.valueEnd(row), Date.now());
  if (!(verdict instanceof Promise)) return settle(gateway, call, verdict);
  call.wait(null);
  const { turn } = call;
  verdict.then(
    (result) => {
      if (!call.waited(turn)) return;
      if (settle(gateway, call, result) === NEXT) gateway.lifecycle.resume(call, LIMIT);
      else gateway.lifecycle.finish(call);
    },
    (error: unknown) => {
      gateway.outbox.warn(`Cannot verify a token: ${String(error)}`);
      if (!call.waited(turn)) return;
      refuse(gateway, call, failures.busy);
      gateway.lifecycle.finish(call);
    },
  );
  return WAIT;
}

function settle(gateway: Gateway, call: Call, verdict: AuthVerdict): Verdict {
  if (verdict instanceof AuthFailure) return refuse(gateway, call, verdict);
  call.session = verdict;
  return NEXT;
}

/** RFC 6750 §3: the challenge says what was wrong with the token. */
function refuse(gateway: Gateway, call: Call, failure: AuthFailure): Verdict {
  gateway.metrics.add(call.slot(), functionCounter.unauthenticated, 1);
  call.requestId();
  const headers = failure.challenge === null ? RETRY_SOON : headerLine('www-authenticate', failure.challenge);
  call.exchange.problem(failure.problem, { headers });
  return ANSWERED;
}
