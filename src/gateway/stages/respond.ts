import type { GuestResponse } from '../../runtime/guest.ts';
import type { Call } from '../call.ts';
import { RESPOND } from '../verdict.ts';

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
  const { output } = call.exchange;
  const { headers } = limit;
  output.reserve(headers.maxBytes);
  output.length = headers.writeAccepted(output.bytes, output.length, call.remaining, call.retryAfterMs);
}
