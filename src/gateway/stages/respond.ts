import type { GuestResponse } from '../../runtime/guest.ts';
import type { Call } from '../call.ts';
import { RESPOND } from '../verdict.ts';

/** For the rate-limit lines of one answer; written and copied before the next request begins. */
const scratch = Buffer.allocUnsafeSlow(2048);

/** Writes the guest's answer, with what the gateway adds: the state of the rate limit and the request's id. */
export function respond(call: Call, response: GuestResponse): void {
  const { exchange } = call;
  exchange.begin(response.status);
  exchange.headerBlock(response.headers, 0, response.headers.length);
  writeRateLimit(call);
  const id = call.requestIdLine();
  exchange.headerBlock(id.bytes, 0, id.lineEnd);
  exchange.end(response.body, response.bodyStart, response.bodyEnd);
  call.mark(RESPOND);
}

function writeRateLimit(call: Call): void {
  const { limit } = call.found();
  if (limit === null || call.remaining < 0) return;
  const end = limit.headers.writeAccepted(scratch, 0, call.remaining, call.retryAfterMs);
  call.exchange.headerBlock(scratch, 0, end);
}
