import { AUTHORIZATION } from '../../http/fields.ts';
import type { AuthFailure } from '../auth/failure.ts';
import type { Session } from '../auth/session.ts';
import type { Call } from '../call.ts';
import type { Gateway } from '../gateway.ts';
import { headerLine } from '../header-line.ts';
import { ANSWERED, LIMIT, NEXT, WAIT, type Verdict } from '../verdict.ts';

/**
 * Who is it? A token that was seen before costs one look into the cache; a new one is verified, which may take a
 * moment, and the request waits for it.
 */
export function authenticate(gateway: Gateway, call: Call): Verdict {
  const { auth } = call.found().spec;
  if (auth === 'public' || gateway.authenticator === null) return NEXT;
  const { head, bytes } = call.exchange;
  const row = head.row(AUTHORIZATION);
  if (row < 0) return auth === 'optional' ? NEXT : refuse(call, null);
  const start = head.valueStart(row);
  const end = head.valueEnd(row);
  const known = gateway.authenticator.lookup(bytes, start, end, gateway.nowMs);
  if (known !== null) {
    call.session = known;
    return NEXT;
  }
  const settled = gateway.authenticator.verify(bytes.toString('latin1', start, end), gateway.nowMs);
  if (!(settled instanceof Promise)) return settle(call, settled);
  call.wait(null);
  const { turn } = call;
  settled.then(
    (result) => {
      if (!call.waited(turn)) return;
      if (settle(call, result) === NEXT) gateway.lifecycle.resume(call, LIMIT);
      else gateway.lifecycle.finish(call);
    },
    (error: unknown) => {
      if (!call.waited(turn)) return;
      gateway.outbox.warn(`Cannot verify tokens: ${String(error)}`);
      call.exchange.problem('unavailable');
      gateway.lifecycle.finish(call);
    },
  );
  return WAIT;
}

function settle(call: Call, result: Session | AuthFailure): Verdict {
  if (result.ok) {
    call.session = result;
    return NEXT;
  }
  return refuse(call, result);
}

/** RFC 6750 §3: without a token just the scheme, with a bad one also what is wrong with it. */
function refuse(call: Call, failure: AuthFailure | null): Verdict {
  call.requestId();
  call.exchange.problem('unauthenticated', {
    headers: headerLine('www-authenticate', failure === null ? 'Bearer' : failure.challenge),
  });
  return ANSWERED;
}
