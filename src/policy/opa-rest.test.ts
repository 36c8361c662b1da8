import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { askOpa } from './opa-rest.ts';
import { PolicyEvaluationError, PolicyUnavailableError } from './types.ts';

type Handler = (request: IncomingMessage, body: string, response: ServerResponse) => void;

async function withOpa(handler: Handler, use: (url: string) => Promise<void>): Promise<void> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => handler(request, Buffer.concat(chunks).toString(), response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const answering =
  (status: number, body: string): Handler =>
  (_request, _body, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  };

test('posts the input to the rule and gives its value', async () => {
  let asked: unknown;
  const handler: Handler = (request, body, response) => {
    asked = { method: request.method, url: request.url, body: JSON.parse(body) };
    response.end('{"result":true,"decision_id":"x"}');
  };
  await withOpa(handler, async (url) => {
    assert.equal(await askOpa(`${url}/`, 'shop/al low', { method: 'GET' }, 1000), true);
    assert.deepEqual(asked, {
      method: 'POST',
      url: '/v1/data/shop/al%20low',
      body: { input: { method: 'GET' } },
    });
  });
});

test('no result is undefined', () =>
  withOpa(answering(200, '{}'), async (url) => {
    assert.equal(await askOpa(url, 'shop/allow', {}, 1000), undefined);
  }));

for (const [name, handler] of [
  ['an error status', answering(400, '{"code":"invalid"}')],
  ['text that is no JSON', answering(200, 'true story')],
  ['JSON that is no answer', answering(200, '[true]')],
  ['a bare true', answering(200, 'true')],
  ['too much', answering(200, `{"result":"${'x'.repeat(2 << 20)}"}`)],
] as const) {
  test(`${name} is an error: policy-failed`, () =>
    withOpa(handler, async (url) => {
      await assert.rejects(askOpa(url, 'shop/allow', {}, 2000), (error) => {
        assert.ok(error instanceof PolicyEvaluationError);
        assert.equal(error.problem, 'policy-failed');
        return true;
      });
    }));
}

for (const [name, handler] of [
  ['an internal error', answering(500, '{}')],
  ['silence', () => {}],
  ['a redirect', (_q, _b, response) => response.writeHead(307, { location: '/v1/data/other' }).end()],
  ['a broken connection', (request) => request.socket.destroy()],
] as [string, Handler][]) {
  test(`${name} is an error: unavailable`, () =>
    withOpa(handler, async (url) => {
      await assert.rejects(askOpa(url, 'shop/allow', {}, 300), (error) => {
        assert.ok(error instanceof PolicyUnavailableError);
        assert.equal(error.problem, 'unavailable');
        return true;
      });
    }));
}
