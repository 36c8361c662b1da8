import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { MessagePort } from 'node:worker_threads';
import type { LaneAnswer, LaneJob } from './lane-protocol.ts';
import { Lanes, type LaneTicket } from './lanes.ts';

class FakePort extends EventEmitter {
  readonly jobs: LaneJob[] = [];
  postMessage(job: LaneJob): void {
    this.jobs.push(job);
  }
  answer(id: number): void {
    this.emit('message', { id, outcome: 'answered' } as LaneAnswer);
  }
}

function setUp(laneCount: number) {
  const clock = { nowMs: 0 };
  const lanes = new Lanes(() => clock.nowMs);
  const ports = Array.from({ length: laneCount }, () => new FakePort());
  ports.forEach((port, index) => lanes.attach(index, port as unknown as MessagePort));
  const settled: [number, boolean][] = [];
  let id = 0;
  const dropped: number[] = [];
  const recalled: number[] = [];
  const submit = (name: string, patienceMs = 1000, onDropped = (): unknown => undefined) => {
    const job = { id: ++id, revision: name, frame: new ArrayBuffer(0), budgetMs: 1, deadlineMs: 1e9 };
    const ticket: LaneTicket = {
      function: name,
      job,
      patienceMs,
      settle: (answer) => settled.push([job.id, answer !== null]),
      recalled: () => recalled.push(job.id),
      dropped: () => {
        dropped.push(job.id);
        onDropped();
      },
    };
    lanes.submit(ticket);
    return ticket;
  };
  return { clock, lanes, ports, submit, settled, dropped, recalled };
}

test('no function holds more than half of the lanes, and the rows take turns', () => {
  const { ports, submit } = setUp(4);
  for (let i = 0; i < 5; i++) submit('hog');
  assert.deepEqual(
    ports.map((port) => port.jobs.length),
    [1, 1, 0, 0],
  );
  submit('other');
  submit('third');
  assert.deepEqual(
    ports.map((port) => port.jobs[0]?.revision),
    ['hog', 'hog', 'other', 'third'],
  );
  ports[2]?.answer(ports[2].jobs[0]?.id as number);
  assert.equal(ports[2]?.jobs.length, 1, 'the hog waits for its own lanes');
  ports[0]?.answer(1);
  assert.equal(ports[0]?.jobs[1]?.revision, 'hog');
});

test('a lane that dies settles its request as lost, and its replacement takes the next', () => {
  const { lanes, ports, submit, settled } = setUp(1);
  submit('a');
  submit('a');
  ports[0]?.emit('close');
  assert.deepEqual(settled, [[1, false]]);
  const replacement = new FakePort();
  lanes.attach(0, replacement as unknown as MessagePort);
  assert.equal(replacement.jobs[0]?.id, 2);
  replacement.answer(2);
  assert.deepEqual(settled.at(-1), [2, true]);
});

test('a waiting request can be withdrawn, a running one cannot; late and foreign answers are ignored', () => {
  const { lanes, ports, submit, settled } = setUp(1);
  const first = submit('a');
  const second = submit('a');
  assert.equal(lanes.withdraw(second), true);
  assert.equal(lanes.withdraw(first), false);
  ports[0]?.answer(99);
  assert.deepEqual(settled, []);
  ports[0]?.answer(1);
  ports[0]?.answer(1);
  assert.deepEqual(settled, [[1, true]]);
});

test('before the first lane requests wait in line, and run in it when it comes', () => {
  const { clock, lanes, submit, dropped } = setUp(0);
  submit('a', 50);
  submit('a', 1000);
  clock.nowMs = 60;
  lanes.dropOverdue();
  assert.deepEqual(dropped, [1], 'none waits longer than it may, lane or no lane');
  const port = new FakePort();
  lanes.attach(0, port as unknown as MessagePort);
  assert.deepEqual(
    port.jobs.map((job) => job.id),
    [2],
  );
});

test('who has waited too long is dropped when its turn comes, and may come back at once', () => {
  const { clock, ports, submit, dropped } = setUp(1);
  submit('a');
  submit('a', 20, () => submit('a', 100));
  submit('b', 100);
  clock.nowMs = 30;
  ports[0]?.answer(1);
  assert.deepEqual(dropped, [2]);
  ports[0]?.answer(ports[0].jobs[1]?.id as number);
  ports[0]?.answer(ports[0].jobs[2]?.id as number);
  assert.deepEqual(
    ports[0]?.jobs.map(({ id }) => id),
    [1, 3, 4],
  );
});

test('a standing row is held to a few departures', () => {
  const { clock, ports, submit, dropped } = setUp(1);
  for (let at = 0; at < 2000; at += 10) {
    clock.nowMs = at;
    submit('hog', 30_000);
    if (at % 50 === 0 && at > 0) ports[0]?.answer(ports[0].jobs.at(-1)?.id as number);
  }
  const ran = ports[0]?.jobs.length ?? 0;
  assert.ok(ran >= 38, `${ran} ran`);
  assert.ok(dropped.length > 100, `${dropped.length} of 200 were dropped`);
});

test('who waits for a lane that is not needed any more is sent away, who runs is not', () => {
  const { lanes, ports, submit, settled, recalled } = setUp(1);
  for (const name of ['a', 'a', 'b', 'a']) submit(name);
  lanes.recall('a');
  assert.deepEqual(recalled, [2, 4]);
  ports[0]?.answer(1);
  ports[0]?.answer(3);
  assert.deepEqual(settled, [
    [1, true],
    [3, true],
  ]);
});
