import assert from 'node:assert/strict';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import {
  blueprint,
  moduleOf,
  openControl,
  temporaryFolder,
  trafficOf,
} from '../../../test/support/control.ts';
import { resolve, violations } from '../../../test/support/json-schema.ts';
import type { GuestLogLine } from '../../model/protocol.ts';
import { createGuestLogs } from '../guest-logs.ts';
import { invokeGateway } from '../invoke.ts';
import { createOperations } from './operations.ts';
import { startAdminServer } from './server.ts';

const TOKEN = 'the-token';
const settings = z.strictObject({
  path: z.string().optional(),
  env: z.record(z.string(), z.string()).optional(),
});

/** An admin API over a real socket, with a stand-in for the gateway. */
async function serve() {
  const folder = temporaryFolder();
  const control = await openControl(folder.path);
  await control.plane.follow(blueprint());
  const logs = createGuestLogs({ forward: () => {} });
  const gateway = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(203, { 'x-path': request.url ?? '', 'x-host': request.headers.host ?? '' });
      response.end(Buffer.concat(chunks));
    });
  });
  await new Promise<void>((done) => {
    gateway.listen(0, '127.0.0.1', done);
  });
  const gatewayPort = (gateway.address() as AddressInfo).port;
  const errors: unknown[] = [];
  let reloads = 0;
  const operations = createOperations({
    ...control,
    logs,
    settings,
    rolloutProgress: () => null,
    version: '1.2.3',
    invoke: (order) => invokeGateway({ host: '127.0.0.1', port: gatewayPort, secure: false }, order, 5000),
    status: () => ({
      version: '1.2.3',
      started_at: new Date(0).toISOString(),
      gateway: `http://127.0.0.1:${gatewayPort}`,
      snapshot: control.plane.snapshot.version,
      functions: control.plane.snapshot.functions.length,
      threads: [{ role: 'front', index: 0, state: 'ready', restarts: 0, applied: 1 }],
      warnings: [...control.plane.warnings],
      last_reload: null,
    }),
    reload: async () => {
      reloads++;
      return {
        at: new Date(0).toISOString(),
        ok: false,
        error: 'no',
        deployed: [],
        removed: [],
        needs_restart: [],
      };
    },
  });
  const admin = await startAdminServer({
    operations,
    token: TOKEN,
    host: '127.0.0.1',
    port: 0,
    onError: (error) => errors.push(error),
  });
  const base = `http://127.0.0.1:${admin.port}`;
  return {
    ...control,
    logs,
    operations,
    base,
    port: admin.port,
    gateway,
    errors,
    reloads: () => reloads,
    async call(method: string, path: string, body?: BodyInit, headers: Record<string, string> = {}) {
      const response = await fetch(base + path, {
        method,
        headers: { authorization: `Bearer ${TOKEN}`, ...headers },
        ...(body === undefined ? {} : { body }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        json: text === '' ? null : JSON.parse(text),
      };
    },
    async [Symbol.asyncDispose]() {
      await admin[Symbol.asyncDispose]();
      await closed(gateway);
      control[Symbol.dispose]();
      folder[Symbol.dispose]();
    },
  };
}

function closed(server: Server): Promise<unknown> {
  server.closeAllConnections();
  return new Promise((done) => {
    server.close(done);
  });
}

const wasm = { 'content-type': 'application/wasm' };
const json = { 'content-type': 'application/json' };

function form(parts: { code?: Uint8Array<ArrayBuffer>; settings?: unknown }): FormData {
  const data = new FormData();
  if (parts.code) data.set('code', new Blob([parts.code], { type: 'application/wasm' }), 'f.wasm');
  if (parts.settings !== undefined) data.set('settings', JSON.stringify(parts.settings));
  return data;
}

test('deploy, look, split, roll back, remove', async () => {
  await using api = await serve();
  const first = await api.call('PUT', '/v1/functions/hello', moduleOf('one'), wasm);
  assert.equal(first.status, 201);
  assert.equal(first.json.revision.id, 'hello-1');
  assert.deepEqual(first.json.traffic, [{ revision: 1, weight: 100 }]);
  assert.equal((await api.call('PUT', '/v1/functions/hello', moduleOf('one'), wasm)).status, 200);

  const second = await api.call('PUT', '/v1/functions/hello?percent=10', moduleOf('two'), wasm);
  assert.deepEqual(second.json.traffic, [
    { revision: 1, weight: 90 },
    { revision: 2, weight: 10 },
  ]);
  const promoted = await api.call('POST', '/v1/functions/hello/promote', '{"revision":2,"percent":60}', {
    ...json,
    'mayfly-actor': 'ann@shop',
  });
  assert.deepEqual(promoted.json.traffic, [
    { revision: 1, weight: 40 },
    { revision: 2, weight: 60 },
  ]);
  assert.deepEqual((await api.call('POST', '/v1/functions/hello/rollback')).json.traffic, [
    { revision: 1, weight: 100 },
  ]);
  const detail = (await api.call('GET', '/v1/functions/hello')).json;
  assert.deepEqual(
    detail.revisions.map((item: { number: number }) => item.number),
    [2, 1],
  );
  assert.deepEqual(
    detail.events.map((event: { action: string; actor: string }) => [event.action, event.actor]),
    [
      ['rollback', 'admin'],
      ['promote', 'ann@shop'],
      ['deploy', 'admin'],
      ['deploy', 'admin'],
      ['deploy', 'admin'],
    ],
  );
  assert.equal((await api.call('DELETE', '/v1/functions/hello')).status, 204);
  assert.deepEqual((await api.call('GET', '/v1/functions')).json, { functions: [] });
});

test('settings come as multipart, with or without code; values of env are not shown', async () => {
  await using api = await serve();
  const deployed = await api.call(
    'PUT',
    '/v1/functions/hello',
    form({ code: moduleOf('one'), settings: { path: '/greet', env: { SECRET: 'hush' } } }),
  );
  assert.equal(deployed.status, 201);
  assert.deepEqual(deployed.json.revision.env, ['SECRET']);
  assert.ok(!JSON.stringify((await api.call('GET', '/v1/functions/hello')).json).includes('hush'));
  const moved = await api.call('PUT', '/v1/functions/hello', form({ settings: { path: '/hi' } }));
  assert.equal(moved.json.revision.number, 2);
  assert.equal((await api.call('GET', '/v1/functions')).json.functions[0].routes[0].path, '/hi');

  const bad = await api.call('PUT', '/v1/functions/hello', form({ settings: { pth: '/hush' } }));
  assert.equal(bad.status, 400);
  assert.match(bad.json.detail, /Unrecognized key: "pth"/);
  assert.equal((await api.call('PUT', '/v1/functions/hello', form({}))).status, 400);
  assert.equal((await api.call('PUT', '/v1/functions/new', form({ settings: {} }))).status, 404);
});

test('refusals are problem documents', async () => {
  await using api = await serve();
  const cases = [
    ['GET', '/v1/functions/none', undefined, {}, 404, 'no-such-function'],
    ['GET', '/v1/functions/UPPER', undefined, {}, 400, 'bad-path'],
    ['GET', '/v1/functions/%ff', undefined, {}, 400, 'bad-path'],
    ['GET', '/v1/functions/none/revisions/1', undefined, {}, 404, 'no-such-function'],
    ['GET', '/v1/nothing', undefined, {}, 404, 'not-found'],
    ['POST', '/v1/functions', '{}', json, 405, 'method-not-allowed'],
    ['PUT', '/v1/functions/x', 'not wasm', wasm, 422, 'not-wasm'],
    ['PUT', '/v1/functions/x', 'hello', { 'content-type': 'text/plain' }, 415, 'unsupported-type'],
    ['PUT', '/v1/functions/x?percent=101', moduleOf('x'), wasm, 400, 'bad-query'],
    ['PUT', '/v1/functions/x?percent=50', moduleOf('x'), wasm, 422, 'bad-percentage'],
    ['PUT', '/v1/functions/x', '--', { 'content-type': 'multipart/form-data; boundary=a' }, 400, 'bad-body'],
    ['POST', '/v1/functions/none/promote', '{"revision":1}', json, 400, 'bad-body'],
    ['POST', '/v1/functions/none/promote', '{', json, 400, 'bad-body'],
    ['POST', '/v1/functions/none/promote', '{"revision":1,"percent":5}', json, 404, 'no-such-function'],
    ['POST', '/v1/functions/none/invoke', '{"path":"no slash"}', json, 400, 'bad-body'],
    ['POST', '/v1/functions/none/invoke', '{"headers":{"a":"b\\r\\nc: d"}}', json, 400, 'bad-body'],
    ['DELETE', '/v1/functions/none', undefined, {}, 404, 'no-such-function'],
  ] as const;
  for (const [method, path, body, headers, status, code] of cases) {
    const answer = await api.call(method, path, body, headers);
    assert.equal(answer.status, status, `${method} ${path}`);
    assert.equal(answer.json.type, `urn:problem-type:mayfly-admin:${code}`, `${method} ${path}`);
    assert.equal(answer.json.status, status);
    assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  }
  assert.equal((await api.call('POST', '/v1/functions', '{}', json)).headers.get('allow'), 'GET');
  assert.deepEqual(api.errors, []);
});

test('no token, no answer; a foreign Host is refused even with the token', async () => {
  await using api = await serve();
  for (const headers of [
    {},
    { authorization: 'Bearer wrong' },
    { authorization: `Basic ${TOKEN}` },
  ] as Record<string, string>[]) {
    for (const path of ['/v1/functions', '/v1/nothing']) {
      const response = await fetch(api.base + path, { headers });
      assert.equal(response.status, 401);
      assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer /);
      assert.ok(!(await response.text()).includes(TOKEN));
    }
  }
  const statusFor = (host: string) =>
    new Promise((done, fail) => {
      httpRequest(
        {
          port: api.port,
          host: '127.0.0.1',
          path: '/v1/functions',
          headers: { host, authorization: `Bearer ${TOKEN}` },
        },
        (response) => {
          response.resume();
          done(response.statusCode);
        },
      )
        .on('error', fail)
        .end();
    });
  assert.equal(await statusFor('evil.example'), 403);
  assert.equal(await statusFor('127.0.0.1.evil.example:9091'), 403);
  assert.equal(await statusFor('localhost:9091'), 200);
  assert.equal(await statusFor('[::1]:9091'), 200);
});

/** Sends a POST as raw text and gives back all that comes until the connection ends. */
function raw(port: number, head: string, body: Iterable<string>): Promise<string> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(
        `POST /v1/functions/x/promote HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n` +
          `Content-Type: application/json\r\n${head}\r\n\r\n`,
      );
      for (const part of body) socket.write(part);
    });
    let text = '';
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.on('error', () => {});
    socket.on('close', () => done(text));
  });
}

test('a body that is too large is refused, declared or not', async () => {
  await using api = await serve();
  const declared = await raw(api.port, 'Content-Length: 99999999999', ['{']);
  assert.match(declared, /^HTTP\/1\.1 413 /);
  assert.match(declared, /connection: close/i);
  const mebibyte = `100000\r\n${' '.repeat(0x100000)}\r\n`;
  const chunked = await raw(
    api.port,
    'Transfer-Encoding: chunked',
    Array.from({ length: 33 }, () => mebibyte),
  );
  assert.match(chunked, /^HTTP\/1\.1 413 /);
});

test('invoke goes through the gateway', async () => {
  await using api = await serve();
  await api.call('PUT', '/v1/functions/hello', moduleOf('one'), wasm);
  const plain = (await api.call('POST', '/v1/functions/hello/invoke', '{"method":"POST","body":"hi"}', json))
    .json;
  assert.equal(plain.status, 203);
  assert.equal(plain.headers['x-path'], '/hello');
  assert.equal(plain.body, 'hi');
  assert.equal(typeof plain.milliseconds, 'number');
  const binary = {
    method: 'POST',
    path: '/a?b=c',
    body: '/wD+',
    encoding: 'base64',
    headers: { Host: 'shop' },
  };
  const answer = (await api.call('POST', '/v1/functions/hello/invoke', JSON.stringify(binary), json)).json;
  assert.equal(answer.headers['x-path'], '/a?b=c');
  assert.equal(answer.headers['x-host'], 'shop');
  assert.deepEqual([answer.body, answer.encoding], ['/wD+', 'base64']);
  await closed(api.gateway);
  const lost = await api.call('POST', '/v1/functions/hello/invoke');
  assert.deepEqual([lost.status, lost.json.type], [502, 'urn:problem-type:mayfly-admin:gateway-unreachable']);
});

function line(message: string): GuestLogLine {
  return { level: 'info', message, function: 'hello', revision: 'hello-1', requestId: 'r', time: 0 };
}

test('logs: the tail, and then line by line', async () => {
  await using api = await serve();
  await api.call('PUT', '/v1/functions/hello', moduleOf('one'), wasm);
  api.logs.append([line('one'), line('two')]);
  const tail = await api.call('GET', '/v1/functions/hello/logs?lines=1');
  assert.equal(tail.json.message, 'two');
  assert.equal(tail.json.request_id, 'r');

  const leave = new AbortController();
  const response = await fetch(`${api.base}/v1/functions/hello/logs?follow=true`, {
    headers: { authorization: `Bearer ${TOKEN}` },
    signal: leave.signal,
  });
  const seen: string[] = [];
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    const lines = Buffer.from(chunk).toString().trim().split('\n');
    seen.push(...lines.map((text) => (JSON.parse(text) as { message: string }).message));
    if (seen.length === 2) api.logs.append([line('three')]);
    if (seen.length === 3) break;
  }
  leave.abort();
  assert.deepEqual(seen, ['one', 'two', 'three']);
});

test('status, events and reload', async () => {
  await using api = await serve();
  await api.call('PUT', '/v1/functions/hello', moduleOf('one'), wasm);
  assert.equal((await api.call('GET', '/v1/status')).json.functions, 1);
  assert.equal((await api.call('GET', '/v1/events?limit=1')).json.events[0].action, 'deploy');
  assert.equal((await api.call('POST', '/v1/reload')).json.error, 'no');
  assert.equal(api.reloads(), 1);
});

test('OpenAPI describes every operation, needs no token, and answers fit it', async () => {
  await using api = await serve();
  const document = (await (await fetch(`${api.base}/openapi.json`)).json()) as Record<string, any>;
  assert.equal(document['openapi'], '3.1.0');
  assert.deepEqual(
    Object.entries(document['paths'] as object).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`),
    ),
    api.operations.map(({ method, path }) => `${method} ${path}`),
  );
  for (const [, reference] of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)) {
    assert.ok(resolve(reference as string, document), reference);
  }

  const check = async (method: string, path: string, pattern: string, body?: BodyInit, headers = {}) => {
    const answer = await api.call(method, path, body, headers);
    const described = document['paths'][pattern][method.toLowerCase()].responses[answer.status];
    assert.ok(described, `${method} ${path} answered ${answer.status}, which is not described`);
    if (answer.json === null) {
      assert.equal(described.content, undefined);
      return;
    }
    const type = (answer.headers.get('content-type') ?? '').split(';')[0] as string;
    const { schema } = described.content[type];
    assert.deepEqual(violations(answer.json, schema, document), [], `${method} ${path} ${answer.status}`);
  };
  const one = '/v1/functions/{name}';
  await check('PUT', '/v1/functions/hello', one, moduleOf('one'), wasm);
  await check('PUT', '/v1/functions/hello', one, moduleOf('one'), wasm);
  await check(
    'PUT',
    '/v1/functions/hello',
    one,
    form({ code: moduleOf('2'), settings: { env: { A: 'b' } } }),
  );
  await check('PUT', '/v1/functions/hello', one, 'x', wasm);
  await check('PUT', '/v1/functions/hello', one, 'x', { 'content-type': 'a/b' });
  await check('GET', '/v1/functions', '/v1/functions');
  await check('GET', '/v1/functions/hello', one);
  await check('GET', '/v1/functions/none', one);
  await check('GET', '/v1/functions/hello/revisions', `${one}/revisions`);
  await check('GET', '/v1/functions/hello/revisions/1', `${one}/revisions/{number}`);
  await check('GET', '/v1/functions/hello/revisions/9', `${one}/revisions/{number}`);
  await check('GET', '/v1/functions/hello/revisions/x', `${one}/revisions/{number}`);
  await check('POST', '/v1/functions/hello/promote', `${one}/promote`, '{"revision":1,"percent":7}', json);
  await check('POST', '/v1/functions/hello/promote', `${one}/promote`, '{"revision":9,"percent":7}', json);
  await check('POST', '/v1/functions/hello/rollback', `${one}/rollback`);
  await check('POST', '/v1/functions/hello/rollback', `${one}/rollback`);
  await check('POST', '/v1/functions/hello/invoke', `${one}/invoke`);
  await check('GET', '/v1/events', '/v1/events');
  await check('GET', '/v1/status', '/v1/status');
  await check('POST', '/v1/reload', '/v1/reload');
  await check('GET', '/openapi.json', '/openapi.json');
  api.logs.append([
    { level: 'warn', message: 'm', function: 'hello', revision: 'hello-1', requestId: 'r', time: 1 },
  ]);
  await check('GET', '/v1/functions/hello/logs', `${one}/logs`);
  await check('DELETE', '/v1/functions/hello', one);
  await check('DELETE', '/v1/functions/hello', one);
  assert.deepEqual(api.errors, []);
});

test('random bytes never get past 4xx, and nothing breaks', async () => {
  await using api = await serve();
  await api.call('PUT', '/v1/functions/hello', moduleOf('one'), wasm);
  const before = trafficOf(api.plane.snapshot);
  const segment = fc.oneof(
    fc.constantFrom(
      'v1',
      'functions',
      'hello',
      'promote',
      'rollback',
      'invoke',
      'logs',
      'revisions',
      '..',
      '%2e',
    ),
    fc.string({ maxLength: 12 }).map(encodeURIComponent),
    fc.constantFrom('%', '%zz', '%00', '%ff'),
  );
  const request = fc.record({
    method: fc.constantFrom('PUT', 'POST'),
    path: fc.oneof(
      fc.array(segment, { maxLength: 5 }).map((parts) => `/${parts.join('/')}`),
      fc.constantFrom('/v1/functions/hello', '/v1/functions/hello/promote', '/v1/functions/hello/invoke'),
    ),
    query: fc.oneof(
      fc.constant(''),
      fc.constant('?percent=%'),
      fc.webQueryParameters().map((text) => `?${text}`),
    ),
    type: fc.constantFrom(
      'application/json',
      'application/wasm',
      'multipart/form-data; boundary=x',
      'multipart/form-data',
      'multipart/form-data; boundary=',
    ),
    body: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .uint8Array({ maxLength: 60 })
        .map((bytes) =>
          Buffer.concat([
            Buffer.from('--x\r\nContent-Disposition: form-data; name="settings"\r\n\r\n'),
            bytes,
            Buffer.from('\r\n--x--\r\n'),
          ]),
        ),
    ),
  });
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, query, type, body }) => {
      const answer = await api.call(method, path + query, body as never, { 'content-type': type });
      const invoked = path.endsWith('/invoke') && answer.status === 200;
      const rolledBack = path.endsWith('/rollback') && answer.status === 422;
      assert.ok(
        invoked || rolledBack || (answer.status >= 400 && answer.status < 500),
        `${method} ${path} answered ${answer.status}`,
      );
    }),
    { numRuns: 200 },
  );
  assert.deepEqual(api.errors, []);
  assert.deepEqual(trafficOf(api.plane.snapshot), before);
});

test('a port in use is one clear sentence', async () => {
  await using api = await serve();
  await assert.rejects(
    startAdminServer({ operations: [], token: 't', host: '127.0.0.1', port: api.port, onError: () => {} }),
    /Cannot serve the admin API: the port is in use \(127\.0\.0\.1:\d+\)\. Stop the other process/,
  );
});
