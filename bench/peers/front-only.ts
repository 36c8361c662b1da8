/**
 * Mayfly's HTTP front alone: the same listener on as many threads, and an answer of the same size that costs nothing to
 * make. What it needs per request is the share of the network, the event loop and the parser.
 */
import { availableParallelism } from 'node:os';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import type { Exchange } from '../../src/http/exchange.ts';
import { listen } from '../../src/http/listener.ts';
import { GAUGE } from '../../src/model/shared.ts';
import { HTTP_LIMITS } from '../lib/http-limits.ts';

const HEADERS = Buffer.from(
  'content-type: application/json\r\nRateLimit-Policy: "default";q=61000000;w=60\r\nRateLimit: "default";r=999999;t=1\r\nx-request-id: 0123456789abcdef-12345\r\n',
);
const BODY = Buffer.from(
  '{"status":"accepted","currency":"EUR","lines":[{"sku":"tee-m","name":"T-shirt","quantity":2,"unitPrice":1990,"amount":3980}],"discounts":[],"discount":0,"total":3980}',
);
const MIB = 2 ** 20;

if (isMainThread) lead();
else await serve(workerData as SharedArrayBuffer);

function lead(): void {
  const threads = availableParallelism();
  const workerData = new SharedArrayBuffer(GAUGE.words(threads) * 4);
  const workers = Array.from({ length: threads }, () => new Worker(new URL(import.meta.url), { workerData }));
  workers.forEach((worker) => worker.once('error', () => process.exit(1)));
  process.on('SIGTERM', () => process.exit(0));
}

async function serve(gauges: SharedArrayBuffer): Promise<void> {
  await listen({
    host: '127.0.0.1',
    port: Number(process.env['PORT']),
    reusePort: true,
    gauges: new Int32Array(gauges),
    http: { ...HTTP_LIMITS, tls: null },
    handler: {
      onHead: () => MIB,
      onRequest: (exchange: Exchange) => {
        exchange.begin(200);
        exchange.headerBlock(HEADERS, 0, HEADERS.length);
        exchange.end(BODY, 0, BODY.length);
      },
      onAborted: () => undefined,
    },
  });
}
