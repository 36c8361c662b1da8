import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { MessagePort } from 'node:worker_threads';
import type { LaneAnswer, LaneJob } from './lane-protocol.ts';
import { Lanes } from './lanes.ts';

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
  const lanes = new Lanes();
  const ports = Array.from({ length: laneCount }, () => new FakePort());
  ports.forEach((port, index) => lanes.attach(index, port as unknown as MessagePort));
  const settled: [number, boolean][] = [];
  let id = 0;
  const submit = (name: string) => {
    const job: LaneJob = { id: ++id, revision: name, frame: new ArrayBuffer(0), budgetMs: 1, wallMs: 1 };
    const ticket = {
      function: name,
      job,
      settle: (answer: LaneAnswer | null) => settled.push([job.id, answer !== null]),
    };
    lanes.submit(ticket);
    return ticket;
  };
  return { lanes, ports, submit, settled };
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
