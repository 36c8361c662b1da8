import { OPTIONS } from '../../model/method.ts';
import type { Call } from '../call.ts';
import type { Gateway } from '../gateway.ts';
import { answerHealth, isHealthPath } from '../health.ts';
import { ANSWERED, NEXT, type Verdict } from '../verdict.ts';

/** Host, path and method → the route, and with it the function. OPTIONS is answered here where no function takes it. */
export function route(gateway: Gateway, call: Call): Verdict {
  const { exchange } = call;
  const { tables } = gateway;
  const { router } = tables;
  const path = call.path();
  if (isHealthPath(path)) {
    answerHealth(gateway, call, path);
    return ANSWERED;
  }
  const entry = router.find(router.usesHosts ? call.host() : '', path);
  if (entry === null) {
    call.requestId();
    exchange.problem('not-found');
    return ANSWERED;
  }
  const method = exchange.head.method;
  const found = entry.byMethod[method];
  if (found !== null && found !== undefined) {
    call.routed(tables, found);
    return NEXT;
  }
  if (method === OPTIONS) {
    exchange.begin(204);
    exchange.headerBlock(entry.allowLine, 0, entry.allowLine.length);
    exchange.end(null, 0, 0);
  } else {
    call.requestId();
    exchange.problem('method-not-allowed', { headers: entry.allowLine });
  }
  return ANSWERED;
}
