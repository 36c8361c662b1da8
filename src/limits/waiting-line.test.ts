import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Waiter, WaitingLine } from './waiting-line.ts';

const waiter = (): Waiter => ({ onEntered() {}, onDropped() {} });

test('first in, first out; who withdrew is skipped', () => {
  const line = new WaitingLine(0);
  const [a, b, c] = [waiter(), waiter(), waiter()];
  for (const each of [a, b, c]) line.add(each, 1000, 0);
  assert.ok(line.withdraw(b, 1));
  assert.ok(!line.withdraw(b, 1));
  assert.equal(line.size, 2);
  assert.equal(line.next(2), a);
  assert.equal(line.next(2), c);
  assert.equal(line.next(2), null);
});

test('nobody waits longer than worker_timeout', () => {
  const line = new WaitingLine(0);
  const [a, b] = [waiter(), waiter()];
  line.add(a, 50, 0);
  line.add(b, 50, 30);
  assert.equal(line.overdue(50), null);
  assert.equal(line.overdue(51), a);
  assert.equal(line.overdue(51), null);
  assert.equal(line.overdue(81), b);
  assert.equal(line.size, 0);
});

test('a short burst may use the whole timeout', () => {
  const line = new WaitingLine(0);
  line.add(waiter(), 30_000, 0);
  assert.equal(line.overdue(90), null);
});

test('a standing queue is held to a few departures, and recovers once it was empty', () => {
  const line = new WaitingLine(0);
  let now = 0;
  let longest = 0;
  const since = new Map<Waiter, number>();
  // Twice as many come (one a millisecond) as leave (one every two), for a second.
  for (; now < 1000; now++) {
    const each = waiter();
    since.set(each, now);
    line.add(each, 30_000, now);
    for (let late = line.overdue(now); late !== null; late = line.overdue(now)) since.delete(late);
    if (now % 2 === 0) {
      const next = line.next(now) as Waiter;
      if (now > 200) longest = Math.max(longest, now - (since.get(next) as number));
    }
  }
  assert.ok(longest <= 10, `waited ${longest} ms`);
  assert.ok(line.size <= 12);
  while (line.next(now) !== null) now++;
  const fresh = waiter();
  line.add(fresh, 30_000, now);
  assert.equal(line.overdue(now + 90), null);
});

test('a slow function keeps enough waiting to stay busy', () => {
  const line = new WaitingLine(0);
  let idle = 0;
  // A place every second, arrivals twice as fast, for a minute.
  for (let now = 0; now < 60_000; now += 10) {
    if (now % 500 === 0) line.add(waiter(), 30_000, now);
    while (line.overdue(now) !== null);
    if (now > 0 && now % 1000 === 0 && line.next(now) === null) idle++;
  }
  assert.equal(idle, 0);
});

test('any sequence of joins, leaves and withdrawals keeps order and count', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 3000 }), (steps) => {
      const line = new WaitingLine(0);
      const model: Waiter[] = [];
      steps.forEach((step, now) => {
        if (step < 5) {
          const each = waiter();
          model.push(each);
          line.add(each, 1e9, 0);
        } else if (step < 9) assert.equal(line.next(0), model.shift() ?? null);
        else if (model.length > 0) {
          const [gone] = model.splice(now % model.length, 1);
          assert.ok(line.withdraw(gone as Waiter, 0));
        }
        assert.equal(line.size, model.length);
      });
    }),
  );
});
