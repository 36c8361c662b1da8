/** Every limit of a function, attacked through the front door. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { FREE_PORTS, startTestPlatform, type TestPlatform } from '../support/platform.ts';

let server: TestPlatform;

before(async () => {
  server = await startTestPlatform(`${FREE_PORTS}
security: { rate_limit_enabled: false }
function: { memory_limit: 4Mi, cpu_budget: 100ms, max_request_body: 1000, max_response_body: 1000, request_timeout: 2s }
functions:
  hostile:
    source: hostile.wasm
    env: { GREETING: hello }
    routes: [{ path: /* }]
  neighbour:
    source: hostile.wasm
    routes: [{ path: /c/* }]
  slow:
    source: hostile.wasm
    cpu_budget: 2s
    max_concurrent_requests: 1
    queue_size: 1
    worker_timeout: 300ms
    routes: [{ path: /w }]
`);
});
after(async () => {
  await server[Symbol.asyncDispose]();
});

async function get(path: string, init: RequestInit = {}) {
  const response = await fetch(server.url + path, init);
  const text = await response.text();
  return { status: response.status, text, headers: response.headers, type: typeOf(text) };
}

function typeOf(text: string): string | null {
  try {
    return (JSON.parse(text) as { type?: string }).type?.replace('urn:problem-type:mayfly:', '') ?? null;
  } catch {
    return null;
  }
}

const assertFresh = async () => {
  for (let i = 0; i < 6; i++) assert.equal((await get('/c')).text, '0002', 'state of another request showed');
};

test('globals and memory are as new on every request', assertFresh);

test('an endless loop costs its caller a 504 and nobody else anything', async () => {
  const loops = Array.from({ length: 4 }, () => get('/l'));
  const others = await Promise.all(Array.from({ length: 40 }, () => get('/c/neighbour')));
  for (const other of others) assert.deepEqual([other.status, other.text], [200, '0002']);
  for (const loop of await Promise.all(loops))
    assert.deepEqual([loop.status, loop.type], [504, 'function-timeout']);
  await assertFresh();
});

test('pipelined requests behind one that must wait are answered after it, in order', async () => {
  const request = (path: string, close = '') => `GET ${path} HTTP/1.1\r\nhost: x\r\n${close}\r\n`;
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  let received = '';
  socket.on('data', (bytes) => (received += bytes.toString()));
  for (let i = 0; i < 20; i++) socket.write(request('/c') + request('/l') + request('/c') + request('/t'));
  socket.write(request('/c', 'connection: close\r\n'));
  await once(socket, 'close');
  const statuses = [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  const four = ['200', '504', '200', '500'];
  assert.deepEqual(statuses, [...Array.from({ length: 20 }, () => four).flat(), '200']);
  await assertFresh();
});

test('a trap, a stack overflow and a bad host pointer are 500, and leave nothing behind', async () => {
  for (const path of ['/t', '/s', '/p']) {
    const { status, type } = await get(path);
    assert.deepEqual([path, status, type], [path, 500, 'function-failed']);
    await assertFresh();
  }
});

test('memory ends at memory_limit: growing fails there, and running out is a 500', async () => {
  assert.equal((await get('/g')).text, '0064');
  assert.equal((await get('/o')).status, 500);
  await assertFresh();
});

test('a changed table is not carried over', async () => {
  for (let i = 0; i < 4; i++) assert.equal((await get('/m')).text, '0001');
});

test('request bodies: at the limit they pass, beyond it 413', async () => {
  assert.equal((await get('/c', { method: 'POST', body: 'x'.repeat(1000) })).status, 200);
  const large = await get('/c', { method: 'POST', body: 'x'.repeat(1001) });
  assert.deepEqual([large.status, large.type], [413, 'content-too-large']);
});

test('response bodies beyond the limit are 502, malformed answers 500', async () => {
  const large = await get('/b');
  assert.deepEqual([large.status, large.type], [502, 'response-too-large']);
  for (const path of ['/f', '/h']) assert.equal((await get(path)).status, 500, path);
  assert.equal((await get('/h')).headers.get('x-evil'), null);
  await assertFresh();
});

test('a flood of log lines is cut, the request is answered', async () => {
  assert.equal((await get('/d')).status, 200);
});

test('configuration reaches the guest', async () => {
  assert.equal((await get('/e')).text, '0005');
});

test('beyond max_concurrent_requests and queue_size: 503 with Retry-After, at once', async () => {
  const slow = () => get('/w');
  await slow(); // Now it is known to be slow, and runs in a lane.
  const answers = await Promise.all(Array.from({ length: 6 }, slow));
  const statuses = answers.map(({ status }) => status);
  assert.ok(statuses.includes(200), String(statuses));
  const refused = answers.filter(({ status }) => status === 503);
  assert.ok(refused.length >= 4, String(statuses));
  for (const { type, headers } of refused) {
    assert.equal(type, 'overloaded');
    assert.equal(headers.get('retry-after'), '1');
  }
});
