import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { functionSpec } from '../resources/function.ts';
import { replicasFor } from './decide.ts';
import { DemandTable } from './demand-table.ts';
import { startDemandServer } from './demand-server.ts';

const spec = (replicas: number, scaling: object | undefined) =>
  functionSpec.parse({
    runtime: 'wasmedge',
    image: `r.example.com/a@sha256:${'0'.repeat(64)}`,
    replicas,
    scaling,
  });
const ZERO = { minReplicas: 0, idleAfter: '60s' };

const decisions: readonly (readonly [
  string,
  number,
  object | undefined,
  number,
  number | null,
  number | null,
])[] = [
  ['a request waits', 0, ZERO, 1, null, 1],
  ['nobody waits', 0, ZERO, 0, 999_999, null],
  ['quiet for long enough', 7, ZERO, 0, 60_000, 0],
  ['not for long enough', 7, ZERO, 0, 59_999, null],
  ['nobody can tell', 7, ZERO, 0, null, null],
  ['requests under way', 7, ZERO, 3, null, null],
  ['a function that is never without pods', 1, { minReplicas: 1 }, 0, 999_999, null],
  ['a function without scaling, switched off', 0, undefined, 5, null, null],
];
for (const [what, replicas, scaling, open, quietMs, wanted] of decisions) {
  test(`From and to zero: ${what}`, () =>
    assert.equal(replicasFor(spec(replicas, scaling), { open, quietMs }), wanted));
}

const said = (gateway: string, open: number, answered: number) => ({
  gateway,
  functions: [{ function: 'shop/orders', open, answered }],
});

test('Requests of all gateways are added up; quiet is what all of them are', () => {
  const table = new DemandTable();
  assert.deepEqual(table.of('shop/orders', 0), { open: 0, quietMs: null });
  table.take(said('a', 2, 0), 1000);
  table.take(said('b', 3, 0), 1000);
  assert.deepEqual(table.of('shop/orders', 1000), { open: 5, quietMs: null });
  table.take(said('a', 0, 2), 2000);
  table.take(said('b', 0, 3), 3000);
  assert.deepEqual(table.of('shop/orders', 4000), { open: 0, quietMs: 1000 });
  table.take(said('a', 0, 2), 5000);
  table.take(said('b', 0, 4), 5000);
  assert.deepEqual(
    table.of('shop/orders', 6000),
    { open: 0, quietMs: 1000 },
    'b answered between two reports',
  );
});

test('A gateway that fell silent may have requests, until it is forgotten', () => {
  const table = new DemandTable();
  table.take(said('a', 4, 0), 0);
  for (let now = 0; now < 300_000; now += 1000) {
    table.take(said('b', 0, 0), now);
    assert.equal(table.of('shop/orders', now).quietMs, null);
  }
  table.take(said('b', 0, 0), 300_000);
  assert.deepEqual(table.of('shop/orders', 300_000), { open: 0, quietMs: 300_000 });
});

test('The table does not grow beyond its bound, and what is forgotten makes room', () => {
  const table = new DemandTable();
  for (let i = 0; i < 10_000; i++) assert.ok(table.take(said(`g${i}`, 0, 0), 0));
  assert.equal(table.take(said('one more', 0, 0), 1000), false);
  assert.ok(table.take(said('g7', 0, 0), 1000));
  assert.ok(table.take(said('one more', 0, 0), 300_001));
});

test('Fuzz: whatever is sent to the server is taken or refused, and only reports change the table', async () => {
  const table = new DemandTable();
  const reporters = { standingOf: async () => ({ namespace: 'every' }) };
  await using server = await startDemandServer({ host: '127.0.0.1', port: 0 }, table, reporters, () => 0);
  const url = `http://127.0.0.1:${server.port}/demand`;
  const post = async (body: string) => (await fetch(url, { method: 'POST', body })).status;
  const mostly = fc.oneof(
    fc.json(),
    fc.string(),
    fc
      .record({
        gateway: fc.string(),
        functions: fc.array(fc.record({ function: fc.string(), open: fc.integer() }), { minLength: 1 }),
      })
      .map((value) => JSON.stringify(value)),
  );
  await fc.assert(
    fc.asyncProperty(mostly, async (body) => assert.equal(await post(body), 400)),
    { numRuns: 100 },
  );
  assert.deepEqual([...table.functions()], []);
  assert.equal(await post(JSON.stringify(said('a', 1, 0))), 204);
  assert.deepEqual([...table.functions()], ['shop/orders']);
  assert.equal(await post('x'.repeat(300_000)), 413);
  assert.equal((await fetch(url)).status, 405);
  assert.equal((await fetch(`${url}s`, { method: 'POST' })).status, 404);
});
