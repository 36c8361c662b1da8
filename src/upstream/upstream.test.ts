import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { UpstreamAnswer, UpstreamFailure, UpstreamRequest } from './request.ts';
import { Upstream } from './upstream.ts';

const GET: UpstreamRequest = {
  method: 'GET',
  target: '/orders?page=1',
  headers: ['host', 'shop.test', 'x-request-id', '1'],
  body: null,
  maxResponseBytes: 1000,
};
const POST: UpstreamRequest = { ...GET, method: 'POST', body: Buffer.from('{"order":1}') };

interface Raw extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** What each connection received. */
  readonly heard: string[];
}

/** A server that is no HTTP server: `answer` gets each connection once something came. */
async function raw(answer: (socket: Socket, nth: number) => void, port = 0): Promise<Raw> {
  const sockets = new Set<Socket>();
  const heard: string[] = [];
  let requests = 0;
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    const at = heard.push('') - 1;
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (data) => {
      heard[at] += data.toString('latin1');
      answer(socket, requests++);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    heard,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

type Outcome = UpstreamFailure | { status: number; headers: string; body: string; length: number };

async function ask(upstream: Upstream, request: UpstreamRequest, holdMs = 0): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  upstream.send(request, holdMs, {
    answered: ({ status, headers, body, length }: UpstreamAnswer) =>
      resolve({ status, headers: headers.toString('latin1'), body: body.toString('latin1'), length }),
    failed: resolve,
    held: () => undefined,
    released: () => undefined,
  });
  return promise;
}

async function answerTo(request: UpstreamRequest, answer: (socket: Socket, nth: number) => void) {
  await using server = await raw(answer);
  const upstream = new Upstream(server.url);
  const outcome = await ask(upstream, request);
  await upstream.close();
  return { outcome, heard: server.heard };
}

const say =
  (text: string, end = false) =>
  (socket: Socket): void => {
    if (end) socket.end(text, 'latin1');
    else socket.write(text, 'latin1');
  };

test('A request arrives as it was sent, its answer without what is about the connection', async () => {
  const { outcome, heard } = await answerTo(
    POST,
    say(
      'HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Request-Id: its-own\r\n' +
        'Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nDate: today\r\nContent-Length: 2\r\n\r\nok',
    ),
  );
  assert.deepEqual(outcome, {
    status: 201,
    headers: 'Content-Type: text/plain\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n',
    body: 'ok',
    length: 2,
  });
  const [head = '', body] = (heard[0] ?? '').split('\r\n\r\n');
  assert.equal(body, '{"order":1}');
  assert.deepEqual(head.split('\r\n').toSorted(), [
    'POST /orders?page=1 HTTP/1.1',
    'connection: keep-alive',
    'content-length: 11',
    'host: shop.test',
    'x-request-id: 1',
  ]);
});

test('An answer to HEAD keeps the length that GET would have; chunks, interim answers and 204 are understood', async () => {
  const head = await answerTo(
    { ...GET, method: 'HEAD' },
    say('HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n'),
  );
  assert.deepEqual(head.outcome, { status: 200, headers: '', body: '', length: 77 });
  const chunked = await answerTo(
    GET,
    say(
      'HTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n',
    ),
  );
  assert.deepEqual(chunked.outcome, { status: 200, headers: '', body: 'abc', length: 3 });
  const empty = await answerTo(GET, say('HTTP/1.1 204 No Content\r\n\r\n'));
  assert.deepEqual(empty.outcome, { status: 204, headers: '', body: '', length: 0 });
});

const hostile: readonly (readonly [string, string, UpstreamFailure])[] = [
  ['what is not HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', 'malformed'],
  ['a status beyond 599', 'HTTP/1.1 700 Odd\r\nContent-Length: 0\r\n\r\n', 'malformed'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 'malformed'],
  [
    'length and chunks',
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'malformed',
  ],
  ['a bad chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 'malformed'],
  ['NUL in a header', 'HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n', 'malformed'],
  ['a name with a space', 'HTTP/1.1 200 OK\r\nX Y: a\r\nContent-Length: 0\r\n\r\n', 'malformed'],
  ['too many headers', `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(129)}Content-Length: 0\r\n\r\n`, 'malformed'],
  ['endless headers', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(100_000)}`, 'malformed'],
  [
    'an upgrade that nobody asked for',
    'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    'broken',
  ],
  ['a body that says it is too large', 'HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n', 'too-large'],
  [
    'a body that is too large',
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n${'x'.repeat(1001)}\r\n`,
    'too-large',
  ],
];
for (const [what, bytes, failure] of hostile) {
  test(`Refused: ${what}`, async () => {
    const { outcome } = await answerTo(POST, say(bytes));
    assert.equal(outcome, failure);
  });
}

test('A connection that ends early: what changes something is not sent again, what does not is, once', async () => {
  const post = await answerTo(POST, (socket) => socket.destroy());
  assert.equal(post.outcome, 'broken');
  assert.equal(post.heard.length, 1);
  const get = await answerTo(GET, (socket) => socket.destroy());
  assert.equal(get.outcome, 'broken');
  assert.equal(get.heard.length, 2);
  const second = await answerTo(GET, (socket, nth) => {
    if (nth === 0) socket.resetAndDestroy();
    else say('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')(socket);
  });
  assert.equal((second.outcome as { body: string }).body, 'ok');
  const half = await answerTo(POST, say('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab', true));
  assert.equal(half.outcome, 'broken');
});

test('Nobody listens: told at once, or held until somebody does', async () => {
  const gone = await raw(() => undefined);
  const { port, url } = gone;
  await gone[Symbol.asyncDispose]();
  const upstream = new Upstream(url);
  assert.equal(await ask(upstream, GET), 'unreachable');
  const held = Array.from({ length: 50 }, () => ask(upstream, POST, 10_000));
  while (upstream.held < 50) await sleep(5);
  await using back = await raw(say('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), port);
  for (const outcome of await Promise.all(held)) assert.equal((outcome as { body: string }).body, 'ok');
  const orders = back.heard.join('').split('POST /orders').length - 1;
  assert.equal(orders, 50, 'each was sent once');
  await upstream.close();
});

test('Held for so long, and no more than so much', async () => {
  const gone = await raw(() => undefined);
  await gone[Symbol.asyncDispose]();
  const upstream = new Upstream(gone.url);
  assert.equal(await ask(upstream, GET, 100), 'held-too-long');
  const large: UpstreamRequest = { ...POST, body: Buffer.alloc(1024 * 1024) };
  const outcomes = Promise.all(Array.from({ length: 40 }, () => ask(upstream, large, 1000)));
  const counts = Object.groupBy(await outcomes, (outcome) => outcome as UpstreamFailure);
  assert.equal(counts['held-too-long']?.length, 31);
  assert.equal(counts['no-room']?.length, 9);
  assert.equal(upstream.held, 0);
  await upstream.close();
});

test('Who leaves is not sent any more, and an attempt under way is cut', async () => {
  const gone = await raw(() => undefined);
  const { port, url } = gone;
  await gone[Symbol.asyncDispose]();
  const upstream = new Upstream(url);
  const fail = (): void => assert.fail('nobody waits for it');
  const nothing = (): void => undefined;
  const never = { answered: fail, failed: fail, held: nothing, released: nothing };
  const ticket = upstream.send(POST, 10_000, never);
  while (upstream.held === 0) await sleep(5);
  ticket.withdraw();
  assert.equal(upstream.held, 0);
  const closed = Promise.withResolvers<void>();
  await using back = await raw((socket) => socket.on('close', () => closed.resolve()), port);
  const other = upstream.send(POST, 10_000, never);
  while (back.heard.join('') === '') await sleep(5);
  other.withdraw();
  await closed.promise;
  assert.equal(back.heard.join('').split('POST').length - 1, 1);
  await upstream.close();
});
