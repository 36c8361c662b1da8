import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foundation, route } from '../../test/support/control.ts';
import { MayflyError } from '../model/errors.ts';
import type { SharedState } from '../model/shared.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { decideRestart } from './restart.ts';
import { createSupervisor, type SupervisorOptions } from './supervisor.ts';

const shared: SharedState = {
  epoch: new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }),
  rateLimits: new SharedArrayBuffer(8),
  concurrency: new SharedArrayBuffer(8),
  metrics: new SharedArrayBuffer(8),
  gauges: new SharedArrayBuffer(8),
};

/** A snapshot that tells the fixture how to behave: `once front 0 exit`. */
function snapshot(version: number, behaviour = ''): Snapshot {
  return {
    ...foundation,
    version,
    functions: [],
    routes: behaviour === '' ? [] : [{ ...route('x', '/'), id: behaviour }],
  };
}

function supervise(options: Partial<SupervisorOptions> = {}) {
  const lost: { role: string; index: number; row: number; reason: string }[] = [];
  const heard: string[] = [];
  const supervisor = createSupervisor({
    entry: new URL('../../test/fixtures/control/thread.ts', import.meta.url),
    fronts: 2,
    lanes: 1,
    shared,
    listen: { host: '127.0.0.1', port: 0 },
    tls: null,
    snapshot: snapshot(1),
    healthCheckIntervalMs: 60_000,
    onMessage: (message) => void heard.push(message.type === 'warning' ? message.message : message.type),
    onLost: (thread, reason) => void lost.push({ ...thread, reason }),
    ...options,
  });
  return { supervisor, lost, heard };
}

async function eventually(what: string, reached: () => boolean): Promise<void> {
  for (let attempt = 0; !reached(); attempt++) {
    if (attempt === 2000) assert.fail(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('threads start on one port, lanes and fronts are connected, all drain', async () => {
  const { supervisor, heard, lost } = supervise({ lanes: 2 });
  await using running = supervisor;
  const { port } = await running.start();
  assert.match(await (await fetch(`http://127.0.0.1:${port}/`)).text(), /^[01] 1$/);
  await eventually('every pair spoke', () => heard.length === 4);
  assert.deepEqual(heard.toSorted(), [
    'lane 0 heard front 0',
    'lane 0 heard front 1',
    'lane 1 heard front 0',
    'lane 1 heard front 1',
  ]);
  assert.deepEqual(
    running.status().map(({ role, index, row, state }) => [role, index, row, state]),
    [
      ['front', 0, 0, 'ready'],
      ['front', 1, 1, 'ready'],
      ['lane', 0, 2, 'ready'],
      ['lane', 1, 3, 'ready'],
    ],
  );
  assert.deepEqual(await running.drain(1000), { aborted: 3 });
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
  assert.deepEqual(lost, []);
});

test('a published snapshot is in force on all fronts when publish resolves', async () => {
  await using running = supervise().supervisor;
  const { port } = await running.start();
  await Promise.all([running.publish(snapshot(2)), running.publish(snapshot(3))]);
  for (let i = 0; i < 10; i++) {
    assert.match(await (await fetch(`http://127.0.0.1:${port}/`)).text(), /^[01] 3$/);
  }
  assert.deepEqual(
    running.status().flatMap(({ role, applied }) => (role === 'front' ? [applied] : [])),
    [3, 3],
  );
});

for (const [how, reason] of [
  ['exit', /ended with code 7/],
  ['oom', /memory limit/],
] as const) {
  test(`a front that dies (${how}) is replaced with the newest snapshot, the other serves on`, async () => {
    const { supervisor, lost, heard } = supervise({
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 8 },
    });
    await using running = supervisor;
    const { port } = await running.start();
    await eventually('first connections', () => heard.length === 2);
    await running.publish(snapshot(2, `once front 1 ${how}`));
    assert.equal(lost.length, 1);
    assert.deepEqual([lost[0]?.role, lost[0]?.index, lost[0]?.row], ['front', 1, 1]);
    assert.match(lost[0]?.reason ?? '', reason);
    assert.match(await (await fetch(`http://127.0.0.1:${port}/`)).text(), /^0 2$/);
    await eventually('it is back', () => running.status()[1]?.state === 'ready');
    assert.deepEqual(
      running.status().map(({ restarts, applied }) => [restarts, applied]),
      [
        [0, 2],
        [1, 2],
        [0, 2],
      ],
    );
    await eventually('it was connected to the lane', () => heard.length === 3);
    assert.equal(heard.filter((line) => line === 'lane 0 heard front 1').length, 2);
  });
}

test('a lane that dies is replaced and connected to every front', async () => {
  const { supervisor, lost, heard } = supervise();
  await using running = supervisor;
  await running.start();
  await eventually('first connections', () => heard.length === 2);
  await running.publish(snapshot(2, 'once lane 0 exit'));
  await eventually('its death', () => lost.length === 1);
  assert.equal(lost[0]?.role, 'lane');
  await eventually('new connections', () => heard.length === 4);
});

for (const how of ['hang', 'wasm-hang']) {
  test(`a thread that hangs (${how}) misses the health check and is replaced`, async () => {
    const { supervisor, lost } = supervise({ healthCheckIntervalMs: 1500 });
    await using running = supervisor;
    await running.start();
    await running.publish(snapshot(2, `once front 0 ${how}`));
    assert.match(lost[0]?.reason ?? '', /no sign of life for \d+ ms/);
    await eventually('it is back', () => running.status().every(({ state }) => state === 'ready'));
    assert.deepEqual(
      running.status().map(({ restarts }) => restarts),
      [1, 0, 0],
    );
  });
}

test('a thread that never puts a snapshot in force is replaced', async () => {
  const { supervisor, lost } = supervise({ patienceMs: 4000 });
  await using running = supervisor;
  await running.start();
  await running.publish(snapshot(2, 'once front 1 deaf'));
  assert.match(lost[0]?.reason ?? '', /did not put snapshot 2 in force/);
});

test('a thread that dies again and again is retried with pauses, and does not hold up a publish', async () => {
  const { supervisor, lost } = supervise();
  await using running = supervisor;
  await running.start();
  await running.publish(snapshot(2, 'always front 1 exit'));
  await eventually('three deaths', () => lost.length >= 3);
  await running.publish(snapshot(3));
  await eventually('cured by the next snapshot', () => running.status()[1]?.state === 'ready');
  assert.equal(running.status()[1]?.applied, 3);
});

test('an error at the first start comes out as it was, and nothing stays behind', async () => {
  await using starting = supervise({ snapshot: snapshot(1, 'always front 1 refuse') }).supervisor;
  await assert.rejects(starting.start(), (error: MayflyError) => {
    assert.ok(error instanceof MayflyError);
    assert.equal(error.code, 'port-in-use');
    assert.equal(error.message, 'Cannot listen: the port is in use (here). Stop it.');
    return true;
  });
});

test('a thread that never gets ready ends the first start', async () => {
  const { supervisor } = supervise({ snapshot: snapshot(1, 'always front 1 silent'), patienceMs: 1500 });
  await assert.rejects(supervisor.start(), /were not ready in 1500 ms/);
});

test('a thread that does not drain is ended after the grace', async () => {
  const { supervisor } = supervise({ snapshot: snapshot(1, 'always front 1 undrained'), lanes: 0 });
  await using running = supervisor;
  await running.start();
  assert.deepEqual(await running.drain(50), { aborted: 1 });
});

test('restarts: at once after a long life and after one early death, then pauses that double up to 5 s', () => {
  assert.deepEqual(decideRestart(60_000, 9), { earlyDeaths: 0, delayMs: 0 });
  const delays: number[] = [];
  let early = 0;
  for (let i = 0; i < 12; i++) {
    const restart = decideRestart(10, early);
    early = restart.earlyDeaths;
    delays.push(restart.delayMs);
  }
  assert.deepEqual(delays, [0, 50, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000, 5000]);
});
