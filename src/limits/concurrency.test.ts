import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { clearConcurrencyRow, Concurrency, createConcurrencyTable, readConcurrency } from './concurrency.ts';
import type { Waiter } from './waiting-line.ts';

const SLOT = 7;

function recorder(log: string[], name: string): Waiter {
  return { onEntered: () => log.push(`${name} entered`), onDropped: () => log.push(`${name} dropped`) };
}

test('at most max at once; a place that is given back is free again', () => {
  const one = new Concurrency(createConcurrencyTable(2), 0, () => 0);
  assert.ok(one.tryEnter(SLOT, 2));
  assert.ok(one.tryEnter(SLOT, 2));
  assert.ok(!one.tryEnter(SLOT, 2));
  assert.ok(one.tryEnter(SLOT + 1, 2), 'another function has its own places');
  one.leave(SLOT);
  assert.ok(one.tryEnter(SLOT, 2));
});

test('the queue is bounded over all threads, and goes in order', () => {
  const table = createConcurrencyTable(2);
  const [one, two] = [new Concurrency(table, 0, () => 0), new Concurrency(table, 1, () => 0)];
  const log: string[] = [];
  assert.equal(one.enter(SLOT, 1, 3, 1000, recorder(log, 'a')), 'entered');
  assert.equal(one.enter(SLOT, 1, 3, 1000, recorder(log, 'b')), 'queued');
  assert.equal(one.enter(SLOT, 1, 3, 1000, recorder(log, 'c')), 'queued');
  assert.equal(two.enter(SLOT, 1, 3, 1000, recorder(log, 'd')), 'queued');
  assert.equal(one.enter(SLOT, 1, 3, 1000, recorder(log, 'e')), 'full');
  assert.equal(two.enter(SLOT, 1, 3, 1000, recorder(log, 'e')), 'full');
  assert.ok(!one.tryEnter(SLOT, 1), 'nobody overtakes those who wait');
  assert.deepEqual(readConcurrency(table, SLOT), { inFlight: 1, waiting: 3 });
  assert.ok(one.withdraw(SLOT, recorder(log, 'nobody')) === false);
  two.close();
  assert.deepEqual(log, ['d dropped']);
  one.leave(SLOT);
  assert.deepEqual(log, ['d dropped', 'b entered']);
  one.leave(SLOT);
  one.leave(SLOT);
  assert.deepEqual(log, ['d dropped', 'b entered', 'c entered']);
  assert.deepEqual(readConcurrency(table, SLOT), { inFlight: 0, waiting: 0 });
  one.close();
});

test('a client that went away gives up its place in the queue', () => {
  const table = createConcurrencyTable(1);
  const one = new Concurrency(table, 0, () => 0);
  const log: string[] = [];
  one.enter(SLOT, 1, 9, 1000, recorder(log, 'a'));
  const b = recorder(log, 'b');
  one.enter(SLOT, 1, 9, 1000, b);
  assert.ok(one.withdraw(SLOT, b));
  assert.ok(!one.withdraw(SLOT, b));
  one.leave(SLOT);
  assert.deepEqual(log, []);
  assert.deepEqual(readConcurrency(table, SLOT), { inFlight: 0, waiting: 0 });
  one.close();
});

test('who waits too long is dropped by the clock alone, without anybody leaving', async () => {
  const table = createConcurrencyTable(1);
  let now = 0;
  const one = new Concurrency(table, 0, () => now);
  const dropped = Promise.withResolvers<void>();
  one.enter(SLOT, 1, 9, 50, recorder([], 'a'));
  one.enter(SLOT, 1, 9, 50, {
    onEntered: () => dropped.reject(new Error('entered')),
    onDropped: dropped.resolve,
  });
  now = 51;
  await dropped.promise;
  assert.deepEqual(readConcurrency(table, SLOT), { inFlight: 1, waiting: 0 });
});

test('a queue of 10,000 requests that finish at once is worked off without growing the stack', () => {
  const table = createConcurrencyTable(1);
  const one = new Concurrency(table, 0, () => 0);
  let done = 0;
  one.enter(SLOT, 1, 10_000, 1000, recorder([], 'first'));
  for (let i = 0; i < 10_000; i++) {
    const onEntered = (): void => {
      done++;
      one.leave(SLOT);
    };
    assert.equal(one.enter(SLOT, 1, 10_000, 1000, { onEntered, onDropped() {} }), 'queued');
  }
  one.leave(SLOT);
  assert.equal(done, 10_000);
  assert.deepEqual(readConcurrency(table, SLOT), { inFlight: 0, waiting: 0 });
  one.close();
});

test('a place freed on one thread wakes a request that waits on another', async () => {
  const table = createConcurrencyTable(2);
  const [one, two] = [new Concurrency(table, 0, () => 0), new Concurrency(table, 1, () => 0)];
  assert.ok(one.tryEnter(SLOT, 1));
  const entered = Promise.withResolvers<void>();
  two.enter(SLOT, 1, 9, 1000, {
    onEntered: entered.resolve,
    onDropped: () => entered.reject(new Error('dropped')),
  });
  one.leave(SLOT);
  await entered.promise;
  assert.deepEqual(readConcurrency(table, SLOT), { inFlight: 1, waiting: 0 });
  two.leave(SLOT);
});

const client = `
  const { workerData, parentPort } = require('node:worker_threads');
  (async () => {
    const { Concurrency } = await import(workerData.concurrency);
    const one = new Concurrency(workerData.table, workerData.row, () => performance.now());
    const inside = new Int32Array(workerData.inside);
    let left = workerData.requests, worst = 0, dropped = 0;
    const { slot, max } = workerData;
    const work = () => {
      worst = Math.max(worst, Atomics.add(inside, 0, 1) + 1);
      const leave = () => { Atomics.sub(inside, 0, 1); one.leave(slot); };
      if (left % 3 === 0) leave(); else setImmediate(leave);
    };
    const finish = () => { if (left === 0) parentPort.postMessage({ worst, dropped }); };
    const open = () => {
      for (let i = 0; i < 10 && left > 0; i++) {
        left--;
        const answer = one.enter(slot, max, 1000, 60000, {
          onEntered: work, onDropped: () => { dropped++; } });
        if (answer === 'entered') work();
        if (answer === 'full') dropped++;
      }
      if (left > 0) setImmediate(open); else finish();
    };
    open();
  })();
`;

test('threads with queues: never more than max inside, nothing is lost, nothing is left over', async () => {
  const table = createConcurrencyTable(4);
  const inside = new SharedArrayBuffer(4);
  const workerData = {
    concurrency: new URL('./concurrency.ts', import.meta.url).href,
    table,
    inside,
    slot: SLOT,
  };
  const workers = [0, 1, 2, 3].map(
    (row) => new Worker(client, { eval: true, workerData: { ...workerData, row, max: 3, requests: 3000 } }),
  );
  const results = await Promise.all(
    workers.map(
      (worker) =>
        new Promise<{ worst: number }>((resolve, reject) => {
          worker.once('message', resolve);
          worker.once('error', reject);
        }),
    ),
  );
  assert.equal(Math.max(...results.map(({ worst }) => worst)), 3);
  // The last requests are still under way when the workers report.
  while (Object.values(readConcurrency(table, SLOT)).some((count) => count !== 0)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.equal(new Int32Array(inside)[0], 0);
  await Promise.all(workers.map((worker) => worker.terminate()));
});

const hostage = `
  const { workerData, parentPort } = require('node:worker_threads');
  (async () => {
    const { Concurrency } = await import(workerData.concurrency);
    const one = new Concurrency(workerData.table, 1, () => performance.now());
    one.tryEnter(workerData.slot, 2);
    one.tryEnter(workerData.slot, 2);
    one.enter(workerData.slot, 2, 10, 60000, { onEntered() {}, onDropped() {} });
    parentPort.postMessage('holding');
  })();
`;

test('what a dead thread held is given back when its row is cleared, and those who wait get it', async () => {
  const table = createConcurrencyTable(2);
  const workerData = { concurrency: new URL('./concurrency.ts', import.meta.url).href, table, slot: SLOT };
  const worker = new Worker(hostage, { eval: true, workerData });
  await new Promise((resolve) => worker.once('message', resolve));
  await worker.terminate();
  assert.deepEqual(readConcurrency(table, SLOT), { inFlight: 2, waiting: 1 });
  const survivor = new Concurrency(table, 0, () => performance.now());
  const entered = Promise.withResolvers<void>();
  const queued = survivor.enter(SLOT, 2, 10, 60_000, {
    onEntered: entered.resolve,
    onDropped: () => entered.reject(new Error('dropped')),
  });
  assert.equal(queued, 'queued');
  clearConcurrencyRow(table, 1);
  await entered.promise;
  assert.deepEqual(readConcurrency(table, SLOT), { inFlight: 1, waiting: 0 });
  survivor.leave(SLOT);
});
