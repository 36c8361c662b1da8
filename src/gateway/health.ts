import { GET, HEAD } from '../model/method.ts';
import type { Call } from './call.ts';
import type { Gateway } from './gateway.ts';

const JSON_TYPE = Buffer.from('content-type: application/json\r\ncache-control: no-store\r\n');
const OK = Buffer.from('{"status":"ok"}\n');
const DRAINING = Buffer.from('{"status":"draining"}\n');

/** The gateway's own paths, for probes of Kubernetes and load balancers. They come before every route. */
export function isHealthPath(path: string): boolean {
  return path === '/health' || path === '/ready';
}

/**
 * `/health`: this thread answers, so it lives. `/ready`: it also takes new work; 503 from the moment it drains, so that
 * a load balancer stops sending before the listener closes.
 */
export function answerHealth(gateway: Gateway, call: Call, path: string): void {
  const { exchange } = call;
  const { method } = exchange.head;
  if (method !== GET && method !== HEAD) {
    exchange.problem('method-not-allowed', { headers: Buffer.from('allow: GET, HEAD\r\n') });
    return;
  }
  const ready = path === '/health' || !gateway.draining;
  const body = ready ? OK : DRAINING;
  exchange.begin(ready ? 200 : 503);
  exchange.headerBlock(JSON_TYPE, 0, JSON_TYPE.length);
  exchange.end(body, 0, body.length);
}
