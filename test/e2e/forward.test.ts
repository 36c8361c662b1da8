/** The gateway in front of a function that runs elsewhere; with real pods of WasmEdge that start when requests already wait. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { DemandTable } from '../../src/kubernetes/zero/demand-table.ts';
import { startDemandServer } from '../../src/kubernetes/zero/demand-server.ts';
import { issueToken } from '../../src/tokens/issue.ts';
import { needPart } from '../support/parts.ts';
import { FREE_PORTS, startTestPlatform, type TestPlatform } from '../support/platform.ts';
import { builtAdapter } from '../support/pods/builds.ts';
import { parityModule, parityPod } from '../support/pods/parity-guests.ts';
import { freePort } from '../support/free-port.ts';
import { startPod } from '../support/pods/pod-process.ts';

const SECRET = 'a secret of thirty-two bytes or more';

/** `more`: further keys of the function. */
const yaml = (port: number, more = '', hold = '30s'): string => `${FREE_PORTS}
security: { jwt_secret: ${SECRET}, rate_limit_enabled: false }
functions:
  orders:
    upstream: { url: 'http://127.0.0.1:${port}', hold_timeout: ${hold} }
    routes:
      - { path: /orders, auth: required }
      - { path: '/*', auth: public }
${more}`;

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void, port = 0) {
  const server: Server = createServer(answer).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function metric({ platform }: TestPlatform, line: RegExp): Promise<number> {
  const page = await (await fetch(`${platform.addresses.metrics}/metrics`)).text();
  return Number(line.exec(page)?.[1] ?? Number.NaN);
}

const HELD = /^mayfly_upstream_held_total\{function="orders"\} (\S+)/m;
const IN_FLIGHT = /^mayfly_requests_in_flight\{function="orders"\} (\S+)/m;

async function until(what: () => Promise<boolean>): Promise<void> {
  while (!(await what())) await sleep(20);
}

test('a request passes the stages here and runs there', async () => {
  const seen: {
    method?: string | undefined;
    url?: string | undefined;
    headers: IncomingMessage['headers'];
  }[] = [];
  await using elsewhere = await listen((incoming, response) => {
    const { method, url, headers } = incoming;
    seen.push({ method, url, headers });
    incoming.resume().on('end', () => {
      response.setHeader('x-request-id', 'its own');
      response.setHeader('x-of-the-function', 'yes');
      response.end(url === '/large' ? 'x'.repeat(5000) : 'from elsewhere');
    });
  });
  await using server = await startTestPlatform(yaml(elsewhere.port, '    max_response_body: 4Ki\n'));
  assert.equal((await fetch(`${server.url}/orders`)).status, 401);
  assert.equal(seen.length, 0);
  const token = await issueToken(Buffer.from(SECRET), { sub: 'ann' }, 60);
  const answer = await fetch(`${server.url}/orders?page=1`, {
    method: 'POST',
    body: 'body',
    headers: {
      authorization: `Bearer ${token}`,
      'x-forwarded-for': '6.6.6.6',
      forwarded: 'for=6.6.6.6',
      'x-request-id': 'abc',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    },
  });
  assert.equal(await answer.text(), 'from elsewhere');
  assert.equal(answer.headers.get('x-of-the-function'), 'yes');
  assert.equal(answer.headers.get('x-request-id'), 'abc');
  const [{ method, url, headers } = { headers: {} as IncomingMessage['headers'] }] = seen;
  assert.deepEqual([method, url], ['POST', '/orders?page=1']);
  assert.equal(headers['x-forwarded-for'], '127.0.0.1');
  assert.equal(headers['x-forwarded-proto'], 'http');
  assert.equal(headers['x-forwarded-host'], headers.host);
  assert.equal(headers.forwarded, undefined);
  assert.equal(headers['x-request-id'], 'abc');
  assert.match(String(headers['traceparent']), /^00-4bf9/);
  assert.equal((await fetch(`${server.url}/large`)).status, 502);
});

test('what does not answer in time is 504, what cannot be reached 502, at once', async () => {
  await using silent = await listen(() => undefined);
  await using slow = await startTestPlatform(yaml(silent.port, '    request_timeout: 300ms\n'));
  assert.equal((await fetch(`${slow.url}/x`)).status, 504);
  await using server = await startTestPlatform(yaml(await freePort(), '', "'0'"));
  const answer = await fetch(`${server.url}/x`, { method: 'POST', body: 'x' });
  assert.equal(answer.status, 502);
  assert.equal(((await answer.json()) as { type: string }).type, 'urn:problem-type:mayfly:upstream-failed');
});

test('nobody comes: 503 when a request was held for long enough, and all places are free again', async () => {
  await using server = await startTestPlatform(yaml(await freePort(), '', '300ms'));
  const answers = await Promise.all(Array.from({ length: 100 }, () => fetch(`${server.url}/x`)));
  for (const { status, headers } of answers) {
    assert.equal(status, 503);
    assert.equal(headers.get('retry-after'), '1');
  }
  assert.equal(await metric(server, IN_FLIGHT), 0);
});

test('200 requests wait for the first pod: each runs once, and gets its own answer', async () => {
  const port = await freePort();
  // Shorter than the wait: time in the hold is not the function's time.
  await using server = await startTestPlatform(yaml(port, '    request_timeout: 20s\n'));
  const answers = Array.from({ length: 200 }, async (_, i) => {
    const answer = await fetch(`${server.url}/x`, { method: 'POST', body: `order ${i}` });
    return [answer.status, await answer.text()];
  });
  await until(async () => (await metric(server, HELD)) >= 200);
  const runs = new Map<string, number>();
  await using _ = await listen((incoming, response) => {
    let body = '';
    incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
    incoming.on('end', () => {
      runs.set(body, (runs.get(body) ?? 0) + 1);
      response.end(body);
    });
  }, port);
  assert.deepEqual(
    await Promise.all(answers),
    Array.from({ length: 200 }, (__, i) => [200, `order ${i}`]),
  );
  assert.equal(runs.size, 200);
  assert.ok([...runs.values()].every((count) => count === 1));
});

test('a pod of WasmEdge: from none to one and back, without losing a request', async (t) => {
  const wasmedge = (await needPart(t, 'wasmedge'))?.paths.wasmedge;
  if (wasmedge === undefined) return;
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-forward-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'pod.wasm');
  writeFileSync(file, parityPod('sdk', await parityModule('sdk'), await builtAdapter()));
  const port = await freePort();
  const server = stack.use(await startTestPlatform(yaml(port)));
  const burst = (count: number) =>
    Array.from({ length: count }, async (_, i) => {
      // The pod's route has this host, which the gateway passes on.
      const headers = { host: 'sdk.test' };
      const { statusCode, body } = await request(`${server.url}/echo`, {
        method: 'POST',
        headers,
        body: `order ${i}`,
      });
      return [statusCode, await body.text()];
    });
  const expected = (count: number) => Array.from({ length: count }, (_, i) => [200, `order ${i}`]);
  let held = 0;
  for (const round of [1, 2]) {
    const answers = burst(200);
    held += 200;
    await until(async () => (await metric(server, HELD)) >= held);
    const pod = await startPod(wasmedge, file, { LOG_LEVEL: 'warn' }, port);
    try {
      assert.deepEqual(await Promise.all(answers), expected(200), `round ${round}`);
      assert.deepEqual(await Promise.all(burst(50)), expected(50));
    } finally {
      await pod[Symbol.asyncDispose]();
    }
  }
  assert.equal(await metric(server, IN_FLIGHT), 0);
});

test('a gateway says at once that a request waits, and how many there are; the pod that comes answers', async (t) => {
  const wasmedge = (await needPart(t, 'wasmedge'))?.paths.wasmedge;
  if (wasmedge === undefined) return;
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-demand-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'pod.wasm');
  writeFileSync(file, parityPod('sdk', await parityModule('sdk'), await builtAdapter()));
  const port = await freePort();
  const demand = new DemandTable();
  const token = join(folder, 'token');
  writeFileSync(token, 'of the gateway\n'.replaceAll(' ', '-'));
  const standingOf = async (field: string | undefined) =>
    field === 'Bearer of-the-gateway' ? { namespace: 'shop' } : 'unknown';
  const listen = { host: '127.0.0.1', port: 0 };
  const operator = stack.use(await startDemandServer(listen, demand, { standingOf }, Date.now));
  const server = stack.use(
    await startTestPlatform(`${FREE_PORTS}
security: { rate_limit_enabled: false }
demand: { report_to: 'http://127.0.0.1:${operator.port}/demand', token_file: '${token}' }
functions:
  orders:
    upstream: { url: 'http://127.0.0.1:${port}', pods: shop/orders }
    routes: [{ path: '/*' }]
`),
  );
  await until(async () => demand.of('shop/orders', Date.now()).quietMs !== null);
  const answers = Array.from({ length: 20 }, async (_, i) => {
    const headers = { host: 'sdk.test' };
    const { body } = await request(`${server.url}/echo`, { method: 'POST', headers, body: `order ${i}` });
    return await body.text();
  });
  await until(async () => demand.of('shop/orders', Date.now()).open === 20);
  stack.use(await startPod(wasmedge, file, { LOG_LEVEL: 'warn' }, port));
  assert.deepEqual(
    await Promise.all(answers),
    Array.from({ length: 20 }, (_, i) => `order ${i}`),
  );
  await until(async () => (demand.of('shop/orders', Date.now()).quietMs ?? 0) > 0);
});
