/** Policy inputs mapped from the request, the decision log, and an OPA that runs elsewhere. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { FREE_PORTS, startTestPlatform } from '../support/platform.ts';

const ORDERS = `package shop
default allow := false
allow if {
	input.action == "order"
	input.order.amount <= 100
	input.tenant == "acme"
	input.page == "2"
	input.function.name == "app"
}
`;

async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body), headers });
  await response.arrayBuffer();
  return response.status;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

test('a route maps constants, headers, query and JSON pointers into the input; decisions are logged, masked', async () => {
  await using server = await startTestPlatform(
    `${FREE_PORTS}
policy:
  files: [orders.rego]
  rule: data.shop.allow
  decision_log: { enabled: true, sample: 1, mask: [/card, /order/amount] }
functions:
  app:
    source: hostile.wasm
    routes:
      - path: /c
        policy:
          input:
            action: "=order"
            order.amount: "body:/order/amount"
            card: "body:/card"
            tenant: "header:x-tenant"
            page: "query:page"
`,
    { 'orders.rego': ORDERS },
  );
  const order = (amount: unknown) => ({ order: { amount }, card: '4111-1111' });
  const tenant = { 'x-tenant': 'acme' };
  assert.equal(await post(`${server.url}/c?page=2`, order(100), tenant), 200);
  assert.equal(await post(`${server.url}/c?page=2`, order(101), tenant), 403);
  assert.equal(
    await post(`${server.url}/c?page=2`, order('100'), tenant),
    403,
    'a string is above every number',
  );
  assert.equal(
    await post(`${server.url}/c?page=2`, { order: null }, tenant),
    403,
    'nothing of the last request is left',
  );
  assert.equal(await post(`${server.url}/c?page=1`, order(1), tenant), 403);
  assert.equal(await post(`${server.url}/c?page=2`, order(1)), 403);
  const decisions = () =>
    readFileSync(server.log, 'utf8')
      .split('\n')
      .filter((line) => line.includes('"entrypoint":"shop/allow"'));
  await until(() => decisions().length === 6);
  const first = JSON.parse(decisions()[0] ?? '') as { allowed: boolean; input: Record<string, unknown> };
  assert.equal(first.allowed, true);
  assert.deepEqual([first.input['card'], first.input['order']], ['***', { amount: '***' }]);
  assert.ok(!readFileSync(server.log, 'utf8').includes('4111'));
});

test('policy.opa_url: a running OPA decides; undefined denies, an error denies and says so', async () => {
  const asked: unknown[] = [];
  let answer: { status: number; body: string } = { status: 200, body: '{"result":true}' };
  const opa = createServer((request: IncomingMessage, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      asked.push([request.url, JSON.parse(text)]);
      response.writeHead(answer.status).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => {
    opa.listen(0, '127.0.0.1', resolve);
  });
  const { port } = opa.address() as AddressInfo;
  try {
    await using server = await startTestPlatform(`${FREE_PORTS}
policy: { opa_url: "http://127.0.0.1:${port}", rule: data.shop.allow }
functions:
  app: { source: hostile.wasm, routes: [{ path: /c }] }
`);
    assert.equal(await post(`${server.url}/c`, {}), 200);
    const [path, { input }] = asked[0] as [string, { input: Record<string, unknown> }];
    assert.equal(path, '/v1/data/shop/allow');
    assert.deepEqual([input['method'], input['path']], ['POST', '/c']);
    for (const [status, body, expected] of [
      [200, '{}', 403],
      [200, '{"result":false}', 403],
      [200, '{"result":"true"}', 403],
      [200, 'not JSON', 500],
      [500, '', 503],
    ] as const) {
      answer = { status, body };
      assert.equal(await post(`${server.url}/c`, {}), expected, body);
    }
    opa.closeAllConnections();
    opa.close();
    assert.equal(await post(`${server.url}/c`, {}), 503, 'nobody there');
  } finally {
    opa.closeAllConnections();
    opa.close();
  }
});
