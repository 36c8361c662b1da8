import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Shedding } from './shedding.ts';

interface Costs {
  /** Milliseconds of the thread for a request that is served, and for one that is refused. */
  readonly serveMs: number;
  readonly refuseMs: number;
}

interface Answer {
  readonly refused: boolean;
  readonly arrivedMs: number;
  readonly waitedMs: number;
  readonly answeredMs: number;
}

/** An event loop on paper: looks what is ready, handles all of it, looks again. `pauses` stop the thread in a request. */
class Thread {
  nowMs = 0;
  readonly shedding = new Shedding();
  readonly answers: Answer[] = [];

  run(arrivals: readonly number[], { serveMs, refuseMs }: Costs, pauses: readonly number[] = []): Answer[] {
    const first = this.answers.length;
    const stops = [...pauses];
    let next = 0;
    while (next < arrivals.length) {
      this.nowMs = Math.max(this.nowMs, arrivals[next] as number);
      const lookedMs = this.nowMs;
      for (; next < arrivals.length && (arrivals[next] as number) <= lookedMs; next++) {
        const refused = this.shedding.refuses(this.nowMs, serveMs - refuseMs);
        const arrivedMs = arrivals[next] as number;
        this.nowMs += refused ? refuseMs : serveMs;
        if (stops[0] !== undefined && this.nowMs >= stops[0]) this.nowMs = (stops.shift() as number) + 60;
        const answeredMs = this.nowMs;
        this.answers.push({ refused, arrivedMs, waitedMs: answeredMs - arrivedMs, answeredMs });
      }
      this.shedding.turnEnds(this.nowMs);
    }
    return this.answers.slice(first);
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

function p99(answers: readonly Answer[]): number {
  const waits = answers.map(({ waitedMs }) => waitedMs).toSorted((a, b) => a - b);
  return waits[Math.floor(waits.length * 0.99)] ?? 0;
}

const refusedOf = (answers: readonly Answer[]): Answer[] => answers.filter(({ refused }) => refused);
const servedOf = (answers: readonly Answer[]): Answer[] => answers.filter(({ refused }) => !refused);

const MILLISECOND: Costs = { serveMs: 1, refuseMs: 0.012 };
const QUICK: Costs = { serveMs: 0.2, refuseMs: 0.015 };
/** As long as it takes to notice that a queue stands. */
const ONSET_MS = 100;

for (const factor of [2, 5, 10]) {
  test(`at ${factor} times of what it carries: goodput, latency of both answers, and calm soon after`, () => {
    const thread = new Thread();
    const flood = thread.run(randomly(1000 * factor, 0, 5000), MILLISECOND);
    const endedMs = thread.nowMs;
    assert.ok(servedOf(flood).length >= 0.85 * endedMs, `${servedOf(flood).length} in ${endedMs} ms`);
    assert.ok(p99(servedOf(flood)) < 20, `served after ${p99(servedOf(flood))} ms`);
    const refused = refusedOf(flood).filter(({ arrivedMs }) => arrivedMs > ONSET_MS);
    assert.ok(p99(refused) < 5, `refused after ${p99(refused)} ms`);
    const after = thread.run(randomly(500, endedMs, endedMs + 2000), MILLISECOND);
    const late = refusedOf(after).at(-1)?.arrivedMs ?? endedMs;
    assert.ok(late - endedMs < 500, `still refusing ${late - endedMs} ms after the flood`);
  });
}

test('what it carries is served', () => {
  for (const share of [0.3, 0.5, 0.7]) {
    assert.deepEqual(refusedOf(new Thread().run(randomly(1000 * share, 0, 10_000), MILLISECOND)), []);
    assert.deepEqual(refusedOf(new Thread().run(randomly(5000 * share, 0, 3000), QUICK)), []);
  }
});

test('a burst is served, however large its share of the moment', () => {
  const burst = (count: number) => Array.from({ length: count }, () => 10);
  assert.deepEqual(refusedOf(new Thread().run(burst(28), MILLISECOND)), []);
  assert.deepEqual(refusedOf(new Thread().run(burst(140), QUICK)), []);
});

test('a thread that was put aside serves what has gathered meanwhile', () => {
  const pauses = [500, 1200, 1500];
  assert.deepEqual(refusedOf(new Thread().run(randomly(1500, 0, 2000), QUICK, pauses)), []);
});

test('what costs no more than its refusal is served, late or not', () => {
  const cheap = { serveMs: 0.026, refuseMs: 0.018 };
  assert.deepEqual(refusedOf(new Thread().run(randomly(100_000, 0, 500), cheap)), []);
});

test('refusing never takes more than a third of the time', () => {
  const thread = new Thread();
  const answers = thread.run(randomly(60_000, 0, 1000), QUICK);
  const refusingMs = refusedOf(answers).length * QUICK.refuseMs;
  assert.ok(refusingMs > thread.nowMs / 4, 'there was nothing to bound');
  assert.ok(refusingMs <= thread.nowMs / 3 + 10, `${refusingMs} of ${thread.nowMs} ms`);
});

test('a queue that stands again soon is recognised sooner', () => {
  const thread = new Thread();
  thread.run(randomly(5000, 0, 300), MILLISECOND);
  const quietMs = thread.nowMs + 300;
  thread.run(randomly(300, thread.nowMs, quietMs), MILLISECOND);
  const again = thread.run(randomly(5000, quietMs, quietMs + 300), MILLISECOND);
  const firstMs = (refusedOf(again)[0]?.arrivedMs ?? Infinity) - quietMs;
  const fresh = new Thread().run(randomly(5000, 0, 300), MILLISECOND);
  assert.ok(firstMs < (refusedOf(fresh)[0]?.arrivedMs ?? 0), `${firstMs} ms`);
});

test('a few clients that ask again at once are not kept out for long by a moment of overload', () => {
  const thread = new Thread();
  thread.run(randomly(5000, 0, 300), MILLISECOND);
  const ready = Array.from({ length: 4 }, () => thread.nowMs);
  const endMs = thread.nowMs + 2000;
  let [served, refused] = [0, 0];
  while (thread.nowMs < endMs) {
    const answers = thread.run(ready, MILLISECOND);
    answers.forEach(({ answeredMs }, index) => (ready[index] = answeredMs));
    ready.sort((a, b) => a - b);
    if (thread.nowMs < endMs - 1000) continue;
    served += servedOf(answers).length;
    refused += refusedOf(answers).length;
  }
  assert.equal(refused, 0);
  assert.ok(served > 900, `${served} served`);
});

test('a container at its CPU limit serves most of what it can, although the thread is put aside again and again', () => {
  const pauses = Array.from({ length: 50 }, (_, index) => 40 + index * 100);
  const thread = new Thread();
  const answers = thread.run(randomly(250, 0, 5000), MILLISECOND, pauses);
  assert.ok(pauses.length * 60 < thread.nowMs);
  assert.ok(refusedOf(answers).length < answers.length * 0.1, `${refusedOf(answers).length} refused`);
});
