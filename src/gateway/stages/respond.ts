import type { GuestResponse } from '../../runtime/guest.ts';
import type { Call } from '../call.ts';
import { RESPOND } from '../verdict.ts';

const REQUEST_ID = Buffer.from('x-request-id: ');
const CRLF = Buffer.from('\r\n');
/** Header lines of ours for one answer; written and copied before the next request begins. */
const scratch = Buffer.allocUnsafeSlow(2048);

/** Writes the guest's answer, with what the gateway adds: the state of the rate limit and the request's id. */
export function respond(call: Call, response: GuestResponse): void {
  const { exchange } = call;
  exchange.begin(response.status);
  exchange.headerBlock(response.headers, 0, response.headers.length);
  exchange.headerBlock(scratch, 0, writeOwnHeaders(call));
  exchange.end(response.body, response.bodyStart, response.bodyEnd);
  call.mark(RESPOND);
}

function writeOwnHeaders(call: Call): number {
  const { limit } = call.found();
  let at = 0;
  if (limit !== null && call.remaining >= 0) {
    at = limit.headers.writeAccepted(scratch, at, call.remaining, call.retryAfterMs);
  }
  scratch.set(REQUEST_ID, at);
  at += REQUEST_ID.length;
  at += scratch.write(call.requestId(), at, 'latin1');
  scratch.set(CRLF, at);
  return at + CRLF.length;
}
