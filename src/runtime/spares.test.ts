import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RevisionSpec } from '../model/function.ts';
import type { Guest, RequestSource } from './guest.ts';
import { Pools } from './pools.ts';
import { Spares } from './spares.ts';

const KIB = 1024;

function setUp(
  options: {
    maxInstances?: number;
    maxBytes?: number;
    imageBytes?: number;
    broken?: string;
    unrestorable?: string;
  } = {},
) {
  const { maxInstances = 100, maxBytes = 1024 * KIB, imageBytes = 100 * KIB, broken, unrestorable } = options;
  const made: string[] = [];
  const disposed: string[] = [];
  const rehearsed: [string, number][] = [];
  const budgets = new Set<number | undefined>();
  const pools = new Pools(maxInstances, (revision, initialBudgetMs) => {
    budgets.add(initialBudgetMs);
    if (revision.id === broken) throw new WebAssembly.RuntimeError('unreachable');
    made.push(revision.id);
    const run = (_: RequestSource, budgetMs: number) => rehearsed.push([revision.id, budgetMs]);
    const restore = () => revision.id !== unrestorable;
    return { imageBytes, run, restore, dispose: () => disposed.push(revision.id) } as unknown as Guest;
  });
  const turns: (() => void)[] = [];
  const spares = new Spares(pools, maxBytes, (work) => turns.push(work));
  const pool = (id: string) => pools.of({ id, limits: { cpuBudgetMs: 1000 } } as RevisionSpec);
  const runTurns = (): number => {
    let count = 0;
    for (let work = turns.shift(); work !== undefined; work = turns.shift(), count++) work();
    return count;
  };
  return { pools, pool, spares, turns, runTurns, made, disposed, rehearsed, budgets };
}

test('every revision without an instance gets one, one a turn, and the first request finds it', () => {
  const { pools, pool, spares, turns, runTurns, made, budgets } = setUp();
  const ids = ['a', 'b', 'c'];
  ids.forEach(pool);
  pools.grow(pool('b'));
  spares.refill();
  assert.deepEqual(made, ['b'], 'nothing is done at once');
  assert.equal(turns.length, 1);
  assert.equal(runTurns(), 2);
  assert.deepEqual(made.toSorted(), ids);
  assert.notEqual(pool('a').take(1), null);
  assert.equal(pools.live, 3);
  assert.deepEqual([...budgets].filter((budget) => budget !== undefined).length, 1, 'with a short budget');
});

test('asking again while it is at work starts no second round, and takes new revisions along', () => {
  const { pool, spares, turns, runTurns, made } = setUp();
  pool('a');
  spares.refill();
  pool('b');
  spares.refill();
  assert.equal(turns.length, 1);
  runTurns();
  assert.deepEqual(made.toSorted(), ['a', 'b']);
  spares.refill();
  assert.equal(runTurns(), 0, 'nothing is missing');
});

test('spare instances take no place from others', () => {
  const { pools, pool, spares, runTurns, made } = setUp({ maxInstances: 3 });
  for (const id of ['a', 'b', 'c', 'd', 'e']) pool(id);
  pools.grow(pool('a'));
  spares.refill();
  runTurns();
  assert.equal(pools.live, 3);
  assert.equal(made.length, 3);
});

test('what they hold together is bounded over all deploys, and what was used no longer counts', () => {
  const { pool, spares, runTurns, made } = setUp({ imageBytes: 300 * KIB, maxBytes: 900 * KIB });
  for (let deploy = 0; deploy < 10; deploy++) {
    pool(`f${deploy}`);
    spares.refill();
    runTurns();
  }
  assert.deepEqual(made, ['f0', 'f1', 'f2']);
  assert.notEqual(pool('f1').take(1), null);
  spares.refill();
  runTurns();
  assert.equal(made.length, 4);
});

test('small instances are bounded as well', () => {
  const { pools, pool, spares, runTurns } = setUp({ imageBytes: 0, maxBytes: 200 * KIB });
  for (let index = 0; index < 50; index++) pool(`f${index}`);
  spares.refill();
  runTurns();
  assert.ok(pools.live > 0 && pools.live <= 20, `${pools.live}`);
});

test('a revision that does not start is passed over', () => {
  const { pool, spares, runTurns, made } = setUp({ broken: 'b' });
  for (const id of ['a', 'b', 'c']) pool(id);
  spares.refill();
  runTurns();
  assert.deepEqual(made.toSorted(), ['a', 'c']);
  assert.equal(pool('b').take(1), null);
});

test('revisions that left in the meantime get none', () => {
  const { pools, pool, spares, runTurns, made } = setUp();
  pool('a');
  pool('b');
  spares.refill();
  pools.keepOnly(new Set(['b']));
  runTurns();
  assert.deepEqual(made, ['b']);
});

test('a spare has run before the first request, shortly; one that cannot be put back is not kept', () => {
  const { pool, spares, runTurns, rehearsed, disposed } = setUp({ unrestorable: 'b' });
  pool('a');
  pool('b');
  spares.refill();
  runTurns();
  assert.deepEqual(
    rehearsed.filter(([id]) => id === 'a'),
    [
      ['a', 2],
      ['a', 2],
    ],
  );
  assert.equal(pool('a').hasSpare, true);
  assert.deepEqual(disposed, ['b']);
  assert.equal(pool('b').live, 0);
});
