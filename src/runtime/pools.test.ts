import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RevisionSpec } from '../model/function.ts';
import type { Guest } from './guest.ts';
import { Pools } from './pools.ts';

function setUp(maxInstances: number) {
  const disposed: string[] = [];
  const pools = new Pools(
    maxInstances,
    (revision) => ({ dispose: () => disposed.push(revision.id) }) as unknown as Guest,
  );
  const pool = (id: string) => pools.of({ id } as RevisionSpec);
  return { pools, pool, disposed };
}

test('at the ceiling the least recently used revision gives up an idle instance', () => {
  const { pools, pool, disposed } = setUp(2);
  for (const [id, now] of [
    ['a', 1],
    ['b', 2],
  ] as const) {
    assert.equal(pool(id).take(now), null);
    const guest = pools.grow(pool(id));
    assert.ok(guest);
    pool(id).give(guest);
  }
  assert.ok(pools.grow(pool('c')));
  assert.deepEqual(disposed, ['a']);
  assert.equal(pools.live, 2);
  assert.equal(pool('a').take(3), null, 'it is gone');
  assert.ok(pools.grow(pool('a')), 'and comes back');
  assert.deepEqual(disposed, ['a', 'b']);
});

test('when every instance is at work there is no new one', () => {
  const { pools, pool } = setUp(1);
  assert.ok(pools.grow(pool('a')));
  assert.equal(pools.grow(pool('b')), null);
});

test('a revision that left the snapshot loses its idle instances at once and the others when they come back', () => {
  const { pools, pool, disposed } = setUp(5);
  const old = pool('old');
  const [first, second] = [pools.grow(old), pools.grow(old)];
  assert.ok(first && second);
  old.give(first);
  pools.keepOnly(new Set(['new']));
  assert.deepEqual(disposed, ['old']);
  assert.equal(pools.live, 1, 'the one at work still counts');
  old.give(second);
  assert.deepEqual(disposed, ['old', 'old']);
  assert.equal(pools.live, 0);
});

test('the same revision keeps its pool over snapshots, and a lower ceiling trims idle instances', () => {
  const { pools, pool, disposed } = setUp(3);
  const a = pool('a');
  const guests = [pools.grow(a), pools.grow(a), pools.grow(a)];
  for (const guest of guests) if (guest !== null) a.give(guest);
  pools.keepOnly(new Set(['a']));
  assert.equal(pool('a'), a);
  pools.maxInstances = 1;
  pools.trim();
  assert.equal(disposed.length, 2);
});
