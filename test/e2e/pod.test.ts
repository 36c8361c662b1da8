/** A pod under WasmEdge with real sockets: many clients at once, clients that leave, clients that do not read. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { needPart } from '../support/parts.ts';
import { builtAdapter } from '../support/pods/builds.ts';
import { parityModule, parityPod } from '../support/pods/parity-guests.ts';
import { startPod } from '../support/pods/pod-process.ts';
import { ask } from '../support/pods/raw-client.ts';

const HEAD = 'Host: sdk.test\r\n';
const echo = (body: string): string =>
  `POST /echo HTTP/1.1\r\n${HEAD}X-Request-Id: fixed\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const last = `GET /empty HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`;

test('a pod with real clients', async (t) => {
  const wasmedge = (await needPart(t, 'wasmedge'))?.paths.wasmedge;
  if (wasmedge === undefined) return;
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-pod-'));
  stack.defer(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'pod.wasm');
  writeFileSync(file, parityPod('sdk', await parityModule('sdk'), await builtAdapter()));
  const pod = stack.use(await startPod(wasmedge, file, { LOG_LEVEL: 'warn', GREETING: 'from the pod' }));
  const descriptors = (): number => readdirSync(`/proc/${pod.pid}/fd`).length;
  const open = async (): Promise<Socket> => {
    const socket = connect({ port: pod.port, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };

  await t.test('two hundred at once each get their own answers', async () => {
    await Promise.all(
      Array.from({ length: 200 }, async (_, client) => {
        const bodies = Array.from({ length: 5 }, (_, i) =>
          `${client}-${i}-`.repeat(1 + ((client * 7 + i) % 50)),
        );
        const pieces = [...bodies.map(echo), last].map((text) => Buffer.from(text));
        const answers = (await ask(pod.port, pieces)).split('HTTP/1.1 ').slice(1);
        assert.deepEqual(
          answers.slice(0, -1).map((answer) => answer.split('\r\n\r\n')[1]),
          bodies,
        );
      }),
    );
  });

  await t.test('clients that reset, at any moment, cost nothing', async () => {
    const before = descriptors();
    for (let round = 0; round < 40; round++) {
      const socket = await open();
      socket.write(echo('x'.repeat(50_000)).slice(0, round * 1300) + (round % 3 === 0 ? last : ''));
      if (round % 2 === 0) await sleep(2);
      socket.resetAndDestroy();
    }
    assert.match(await ask(pod.port, [Buffer.from(last)]), /^HTTP\/1\.1 204 /);
    for (let i = 0; i < 100 && descriptors() > before; i++) await sleep(50);
    assert.ok(descriptors() <= before, `${descriptors()} descriptors, ${before} before`);
  });

  await t.test('a client that does not read is waited for, and keeps nobody else waiting', async () => {
    const slow = await open();
    slow.pause();
    const body = 'y'.repeat(50_000);
    for (let i = 0; i < 100; i++) slow.write(echo(body));
    slow.write(last);
    for (let i = 0; i < 20; i++) assert.match(await ask(pod.port, [Buffer.from(last)]), /^HTTP\/1\.1 204 /);
    let received = '';
    slow.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    slow.resume();
    await once(slow, 'close');
    const answers = received.split('HTTP/1.1 ').slice(1);
    assert.equal(answers.length, 101);
    for (const answer of answers.slice(0, 100)) assert.equal(answer.split('\r\n\r\n')[1], body);
  });

  await t.test('the environment overrides values and the level of the log', async () => {
    const config = `POST /config HTTP/1.1\r\n${HEAD}Content-Length: 8\r\n\r\nGREETING`;
    assert.match(await ask(pod.port, [Buffer.from(config + last)]), /\r\n\r\nfrom the podHTTP/);
    const log = `POST /log HTTP/1.1\r\n${HEAD}X-Request-Id: r-1\r\nContent-Length: 5\r\n\r\nhello`;
    await ask(pod.port, [Buffer.from(log + last)]);
    const lines = pod.logs.map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      lines.map(({ level, function: name, request_id: id, msg }) => [level, name, id, msg]),
      [
        ['warn', 'sdk', 'r-1', 'hello'],
        ['error', 'sdk', 'r-1', 'hello'],
      ],
    );
  });
});

test('a request that fails leaves a line that says why, and no more', async (t) => {
  const wasmedge = (await needPart(t, 'wasmedge'))?.paths.wasmedge;
  if (wasmedge === undefined) return;
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-pod-'));
  stack.defer(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'pod.wasm');
  writeFileSync(file, parityPod('hostile', await parityModule('hostile'), await builtAdapter()));
  const pod = stack.use(await startPod(wasmedge, file, { LOG_LEVEL: 'error' }));
  const head = 'Host: hostile.test\r\nAuthorization: Bearer secret\r\n';
  for (const letter of ['t', 'l', 's', 'o', 'f', 'c'])
    await ask(pod.port, [
      Buffer.from(`GET /${letter} HTTP/1.1\r\n${head}X-Request-Id: ${letter}\r\nConnection: close\r\n\r\n`),
    ]);
  const lines = pod.logs.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    lines.map(({ level, request_id: id, msg }) => [level, id, msg]),
    [
      ['error', 't', 'The function did not finish: it trapped'],
      ['error', 'l', 'The function did not finish: its CPU time is used up (cpu_limit, cpu_budget)'],
      ['error', 's', 'The function did not finish: it trapped, its calls being nested too deep'],
      ['error', 'o', 'The function did not finish: it ran out of memory (memory_limit)'],
      ['error', 'f', 'The answer is not a response frame: outside-memory'],
    ],
  );
  assert.ok(!pod.logs.join('').includes('secret'));
});
