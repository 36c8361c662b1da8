import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backlog, isCostly } from './backlog.ts';

interface Answer {
  readonly refused: boolean;
  readonly arrivedMs: number;
  readonly waitedMs: number;
}

/** What a request costs the thread beside its run, to be read and answered. */
const READ_MS = 0.02;
const flooding = { name: 'flooding' };
const neighbour = { name: 'neighbour' };

interface Load {
  readonly arrivals: readonly number[];
  readonly runMs: number;
  readonly owner: object;
}

/** An event loop on paper: reads all that is ready, then does a slice of what was set aside. `pauses` put it aside for 60 ms. */
class Thread {
  nowMs = 0;
  ranMs = 0;
  most = 0;
  readonly #backlog = new Backlog<{ arrivedMs: number; runMs: number; answers: Answer[] }, object>();
  readonly #pauses: number[];

  constructor(pauses: readonly number[] = []) {
    this.#pauses = [...pauses];
  }

  run(...loads: readonly Load[]): Answer[][] {
    const answers = loads.map((): Answer[] => []);
    const events = loads
      .flatMap(({ arrivals, runMs, owner }, index) =>
        arrivals.map((arrivedMs) => ({ arrivedMs, runMs, owner, answers: answers[index] as Answer[] })),
      )
      .toSorted((a, b) => a.arrivedMs - b.arrivedMs);
    let read = 0;
    while (read < events.length || this.#backlog.size > 0) {
      if (this.#backlog.size === 0) this.nowMs = Math.max(this.nowMs, events[read]?.arrivedMs ?? 0);
      const lookedMs = this.nowMs;
      for (; (events[read]?.arrivedMs ?? Infinity) <= lookedMs; read++) {
        const event = events[read] as (typeof events)[number];
        this.#spend(READ_MS);
        if (!isCostly(event.runMs)) this.#spend(event.runMs);
        const refused = isCostly(event.runMs) && !this.#backlog.admits(event.owner, event.runMs);
        if (refused || !isCostly(event.runMs)) this.#answer(event, refused);
        else this.#backlog.add(event, event.owner, event.runMs, this.nowMs);
        this.most = Math.max(this.most, this.#backlog.size);
      }
      this.#slice();
    }
    return answers;
  }

  #slice(): void {
    this.#backlog.beginSlice(this.nowMs);
    for (let next = this.#backlog.next(this.nowMs); next !== null; next = this.#backlog.next(this.nowMs)) {
      if (!next.isTooLate) {
        this.#spend(next.item.runMs);
        this.ranMs += next.item.runMs;
      }
      this.#answer(next.item, next.isTooLate);
    }
  }

  #answer({ arrivedMs, answers }: { arrivedMs: number; answers: Answer[] }, refused: boolean): void {
    answers.push({ refused, arrivedMs, waitedMs: this.nowMs - arrivedMs });
  }

  #spend(ms: number): void {
    this.nowMs += ms;
    if (this.nowMs >= (this.#pauses[0] ?? Infinity)) this.nowMs = (this.#pauses.shift() as number) + 60;
  }
}

/** Arrivals at random (exponential gaps from a small generator, the same every time). */
function randomly(perSecond: number, fromMs: number, toMs: number): number[] {
  const times: number[] = [];
  let seed = 42;
  for (let at = fromMs; at < toMs;) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    at += (-Math.log((seed + 1) / 4294967297) * 1000) / perSecond;
    times.push(at);
  }
  return times;
}

const costly = (arrivals: readonly number[], runMs = 1): Load => ({ arrivals, runMs, owner: flooding });
const refusedOf = (answers: readonly Answer[] = []): Answer[] => answers.filter(({ refused }) => refused);
const servedOf = (answers: readonly Answer[] = []): Answer[] => answers.filter(({ refused }) => !refused);

function p99(answers: readonly Answer[]): number {
  const waits = answers.map(({ waitedMs }) => waitedMs).toSorted((a, b) => a - b);
  return waits[Math.floor(waits.length * 0.99)] ?? 0;
}

for (const [factor, leastShare] of [
  [2, 0.95],
  [5, 0.85],
  [10, 0.75],
] as const) {
  test(`at ${factor} times of what it carries: goodput, latency of both answers, a bounded line, calm soon after`, () => {
    const thread = new Thread();
    const [flood] = thread.run(costly(randomly(1000 * factor, 0, 5000)));
    const endedMs = thread.nowMs;
    assert.ok(thread.ranMs >= leastShare * endedMs, `${thread.ranMs} of ${endedMs} ms`);
    assert.ok(p99(servedOf(flood)) < 20, `served after ${p99(servedOf(flood))} ms`);
    assert.ok(p99(refusedOf(flood)) < 5, `refused after ${p99(refusedOf(flood))} ms`);
    assert.ok(thread.most <= 12, `${thread.most} waited`);
    const [after] = thread.run(costly(randomly(500, endedMs, endedMs + 2000)));
    const late = refusedOf(after).at(-1)?.arrivedMs ?? endedMs;
    assert.ok(late - endedMs < 100, `still refusing ${late - endedMs} ms after the flood`);
  });
}

test('what it carries is served', () => {
  for (const share of [0.3, 0.5]) {
    assert.deepEqual(refusedOf(new Thread().run(costly(randomly(1000 * share, 0, 10_000)))[0]), []);
    assert.deepEqual(refusedOf(new Thread().run(costly(randomly(5000 * share, 0, 3000), 0.18))[0]), []);
  }
  const [near] = new Thread().run(costly(randomly(700, 0, 10_000)));
  assert.ok(refusedOf(near).length <= 7000 * 0.002, 'random arrivals make bursts, but rarely such long ones');
});

test('a burst is served; what would wait longer than a burst may is refused at once', () => {
  const burst = (count: number) => Array.from({ length: count }, () => 10);
  assert.deepEqual(refusedOf(new Thread().run(costly(burst(12)))[0]), []);
  const [answers] = new Thread().run(costly(burst(50)));
  assert.equal(refusedOf(answers).length, 38);
  for (const { waitedMs } of refusedOf(answers)) assert.ok(waitedMs <= 50 * READ_MS);
});

test('cheap functions are never refused and do not wait behind the flood for long', () => {
  const quick = { arrivals: randomly(200, 0, 3000), runMs: 0.03, owner: neighbour };
  const [, answers] = new Thread().run(costly(randomly(10_000, 0, 3000)), quick);
  assert.deepEqual(refusedOf(answers), []);
  assert.ok(p99(answers ?? []) < 5, `after ${p99(answers ?? [])} ms`);
});

test('the flood of one costly function does not keep out another', () => {
  const rare = { arrivals: randomly(50, 0, 3000), runMs: 1, owner: neighbour };
  const [flood, answers] = new Thread().run(costly(randomly(5000, 0, 3000)), rare);
  assert.ok(refusedOf(flood).length > (flood?.length ?? 0) / 2);
  assert.ok(refusedOf(answers).length <= (answers?.length ?? 0) * 0.02, `${refusedOf(answers).length}`);
});

test('a thread that was put aside serves what has gathered meanwhile, while it is within a burst', () => {
  const [answers] = new Thread([500, 1200, 1500]).run(costly(randomly(100, 0, 2000)));
  assert.deepEqual(refusedOf(answers), []);
});

test('who waited too long while the line stands is refused, not run', () => {
  const backlog = new Backlog<string, object>();
  for (let at = 0; at < 10; at++) backlog.add(`early ${at}`, flooding, 1, 0);
  backlog.beginSlice(30);
  assert.deepEqual(backlog.next(30), { item: 'early 0', isTooLate: true });
  assert.equal(backlog.size, 9);
});

test('a few that waited for a thread that was put aside are run, however long that took', () => {
  const backlog = new Backlog<string, object>();
  for (const item of ['one', 'two', 'three', 'four']) backlog.add(item, flooding, 0.3, 0);
  backlog.beginSlice(900);
  for (const item of ['one', 'two', 'three', 'four'])
    assert.deepEqual(backlog.next(900.5), { item, isTooLate: false });
});

test('many that waited so long are refused: the line is longer than was thought', () => {
  const backlog = new Backlog<string, object>();
  for (let item = 0; item < 11; item++) backlog.add(`${item}`, flooding, 1, 0);
  backlog.beginSlice(150);
  assert.deepEqual(backlog.next(150), { item: '0', isTooLate: true });
});

test('a line that does not stand is patient', () => {
  const backlog = new Backlog<string, object>();
  backlog.add('one', flooding, 1, 0);
  backlog.beginSlice(90);
  assert.deepEqual(backlog.next(90), { item: 'one', isTooLate: false });
});

test('whose client left takes its work along', () => {
  const backlog = new Backlog<number, object>();
  for (let item = 0; item < 12; item++) backlog.add(item, flooding, 1, 0);
  assert.equal(backlog.admits(flooding, 1), false);
  backlog.delete(3);
  backlog.delete(3);
  assert.equal(backlog.admits(flooding, 1), true);
  assert.equal(backlog.size, 11);
});

test('after much reading there is a longer slice: refusing takes no more than a third of a busy thread', () => {
  const thread = new Thread();
  const [answers] = thread.run(costly(randomly(14_000, 0, 2000), 0.3));
  assert.ok(refusedOf(answers).length > 10_000);
  assert.ok(thread.ranMs >= 0.6 * thread.nowMs, `${thread.ranMs} of ${thread.nowMs} ms`);
});
