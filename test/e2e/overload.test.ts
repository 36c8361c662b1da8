/** More than a thread carries. There is only one, so that no other can help it out. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import wabtModule from 'wabt';
import { startTestPlatform, type TestPlatform } from '../support/platform.ts';

/** Works for about a millisecond. */
const WORKER = `(module
  (memory (export "memory") 2)
  (data (i32.const 0) "\\01\\00\\c8\\00\\00\\00\\00\\00\\00\\00\\00\\00\\02\\00\\00\\00ok")
  (func (export "alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "handle") (param i32 i32) (result i64)
    (local $i i32)
    (local.set $i (i32.const 500000))
    (loop $work
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (br_if $work (local.get $i)))
    (i64.const 18)))`;

let server: TestPlatform;

before(async () => {
  const wabt = await wabtModule();
  const module = wabt.parseWat('worker.wat', WORKER);
  const worker = Uint8Array.from(module.toBinary({}).buffer);
  module.destroy();
  const yaml = `
server: { port: 0, host: 127.0.0.1, threads: 1 }
monitoring: { metrics_port: 0, host: 127.0.0.1 }
admin: { port: 0 }
security: { rate_limit_enabled: false }
function: { memory_limit: 4Mi }
functions:
  worker: { source: worker.wasm, routes: [{ path: /work }] }
  quick: { source: hostile.wasm, routes: [{ path: /c }] }
  hog: { source: hostile.wasm, routes: [{ path: /g }] }
`;
  server = await startTestPlatform(yaml, { 'worker.wasm': worker });
});
after(async () => {
  await server[Symbol.asyncDispose]();
});

/** A client that asks again as soon as it is answered. */
class Insatiable {
  readonly answers: string[] = [];
  readonly #socket: Socket;
  readonly #ended: Promise<unknown>;

  constructor(path: string, pauseMs = 0) {
    const request = `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = promise;
    this.#socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => this.#socket.write(request));
    this.#socket.on('data', (bytes) => {
      this.answers.push(bytes.toString('latin1'));
      setTimeout(() => this.#socket.writable && this.#socket.write(request), pauseMs);
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', resolve);
  }

  async stop(): Promise<readonly string[]> {
    this.#socket.destroy();
    await this.#ended;
    return this.answers;
  }
}

async function counter(name: string, ...labels: string[]): Promise<number> {
  const page = await (await fetch(`${server.platform.addresses.metrics}/metrics`)).text();
  const line = page
    .split('\n')
    .find((each) => each.startsWith(`${name}{`) && labels.every((label) => each.includes(label)));
  return Number(line?.split(' ').at(-1) ?? 0);
}

test('what a thread cannot carry is refused with 503 and Retry-After; health and quick functions still answer', async () => {
  const flood = Array.from({ length: 200 }, () => new Insatiable('/work'));
  const [health, quick] = [new Insatiable('/health', 20), new Insatiable('/c', 20)];
  const shed = ['function="worker"', 'reason="overload"'];
  for (let wait = 0; wait < 200; wait++) {
    await new Promise((later) => setTimeout(later, 50));
    const isShedding = (await counter('mayfly_queue_dropped_total', ...shed)) >= 300;
    if (isShedding && [health, quick].every(({ answers }) => answers.length > 5)) break;
  }
  const answers = (await Promise.all(flood.map((client) => client.stop()))).flat();
  const refused = answers.filter((answer) => answer.startsWith('HTTP/1.1 503'));
  const served = answers.filter((answer) => answer.startsWith('HTTP/1.1 200'));
  assert.ok(
    refused.length >= 300 && served.length > 100,
    `${served.length} served, ${refused.length} refused`,
  );
  assert.equal(refused.length + served.length, answers.length);
  for (const answer of refused) {
    assert.match(answer, /\r\nretry-after: 1\r\n/);
    assert.match(answer, /"type":"urn:problem-type:mayfly:overloaded"/);
  }
  for (const client of [health, quick]) {
    const others = await client.stop();
    assert.ok(others.length > 5);
    for (const answer of others) assert.match(answer, /^HTTP\/1\.1 200 /);
  }
  assert.ok((await counter('mayfly_requests_total', 'function="worker"', 'code="503"')) >= refused.length);
  // Each run is followed by a restore. A client that left may have had one run that nobody saw the answer of.
  const runs = await counter('mayfly_restores_total', 'function="worker"');
  assert.ok(
    runs >= served.length && runs <= served.length + flood.length,
    `${runs} runs for ${served.length}`,
  );
});

test('after the flood everything is served again', async () => {
  for (let wait = 0; wait < 100; wait++) {
    const { status } = await fetch(`${server.url}/work`);
    if (status === 200 && wait > 10) return;
    assert.ok([200, 503].includes(status));
    await new Promise((later) => setTimeout(later, 10));
  }
  assert.fail('it never served again');
});

test('a function that wears out an instance with every request is moved to the lanes, its answers stay right', async () => {
  const answers: string[] = [];
  for (let count = 0; count < 40; count++) answers.push(await (await fetch(`${server.url}/g`)).text());
  assert.deepEqual(new Set(answers), new Set(['0064']));
  const inLanes = await counter('mayfly_lane_requests_total', 'function="hog"');
  assert.ok(inLanes > 20, `${inLanes} of 40 ran in a lane`);
  assert.equal(await counter('mayfly_lane_requests_total', 'function="quick"'), 0);
});
