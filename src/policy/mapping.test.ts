import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MappedValue } from '../model/route.ts';
import { applyMapping, resolvePointer, type MappingSource } from './mapping.ts';

const source: MappingSource = {
  claims: () => ({ sub: 'u1', tier: 'gold' }),
  headers: () => ({ 'x-shop': 'de' }),
  query: () => ({ coupon: 'SALE' }),
  body: () => ({ order: { amount: 12, items: [{ sku: 'a' }, { sku: 'b' }] }, 'a/b': { '~': 0 } }),
};

function mapped(entries: [path: string, value: MappedValue][], input: Record<string, unknown> = {}): unknown {
  const mapping = entries.map(([path, value]) => ({ path: path.split('.'), value }));
  applyMapping(mapping, source, input);
  return input;
}

test('every source, to any depth', () => {
  assert.deepEqual(
    mapped([
      ['action', { from: 'constant', value: 'order' }],
      ['order.amount', { from: 'body', pointer: '/order/amount' }],
      ['order.second', { from: 'body', pointer: '/order/items/1/sku' }],
      ['order.odd', { from: 'body', pointer: '/a~1b/~0' }],
      ['tier', { from: 'claim', name: 'tier' }],
      ['shop', { from: 'header', name: 'X-Shop' }],
      ['coupon', { from: 'query', name: 'coupon' }],
      ['missing', { from: 'query', name: 'nothing' }],
    ]),
    {
      action: 'order',
      order: { amount: 12, second: 'b', odd: 0 },
      tier: 'gold',
      shop: 'de',
      coupon: 'SALE',
    },
  );
});

test('objects that other requests share are not changed', () => {
  const user = Object.freeze({ sub: 'u1' });
  const rateLimit = Object.freeze({ remaining: 3 });
  const input = { user, rate_limit: rateLimit };
  const result = mapped(
    [
      ['user.tier', { from: 'claim', name: 'tier' }],
      ['rate_limit.bucket', { from: 'constant', value: 'x' }],
    ],
    input,
  );
  assert.deepEqual(result, { user: { sub: 'u1', tier: 'gold' }, rate_limit: { remaining: 3, bucket: 'x' } });
  assert.deepEqual(user, { sub: 'u1' });
});

test('inherited members are not there, and no prototype changes', () => {
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    const result = mapped([
      ['a', { from: 'claim', name }],
      ['b', { from: 'header', name }],
      ['c', { from: 'query', name }],
      ['d', { from: 'body', pointer: `/${name}` }],
      ['e', { from: 'body', pointer: `/order/items/${name}` }],
    ]);
    assert.deepEqual(result, {});
  }
  const input = mapped([
    ['__proto__.polluted', { from: 'constant', value: true }],
    ['constructor.prototype.polluted', { from: 'constant', value: true }],
  ]) as object;
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  assert.equal(Object.getPrototypeOf(input), Object.prototype);
  assert.ok(Object.hasOwn(input, '__proto__'));
});

test('a hostile body with __proto__ stays data', () => {
  const hostile = {
    ...source,
    body: () => JSON.parse('{"__proto__":{"admin":true},"x":{"__proto__":{"role":"admin"}}}'),
  };
  const input: Record<string, unknown> = {};
  applyMapping([{ path: ['x'], value: { from: 'body', pointer: '/x' } }], hostile, input);
  applyMapping([{ path: ['x', 'y'], value: { from: 'constant', value: 1 } }], hostile, input);
  assert.equal((input['x'] as Record<string, unknown>)['role'], undefined);
  assert.equal((input as { admin?: unknown }).admin, undefined);
});

test('the body is parsed once, and only where a mapping needs it', () => {
  let parsed = 0;
  const counting = { ...source, body: () => (parsed++, { a: 1, b: 2 }) };
  const input = {};
  applyMapping([{ path: ['x'], value: { from: 'constant', value: 1 } }], counting, input);
  assert.equal(parsed, 0);
  const bodies = ['a', 'b'].map((name) => ({
    path: [name],
    value: { from: 'body' as const, pointer: `/${name}` },
  }));
  applyMapping(bodies, counting, input);
  assert.deepEqual([parsed, input], [1, { x: 1, a: 1, b: 2 }]);
});

test('pointers: array indexes are decimal without leading zeros, anything else is absent', () => {
  const document = { list: ['a', 'b'], '': { '': 1 } };
  assert.equal(resolvePointer(document, ''), document);
  assert.equal(resolvePointer(document, '/list/1'), 'b');
  assert.equal(resolvePointer(document, '//'), 1);
  for (const pointer of [
    '/list/01',
    '/list/-',
    '/list/2',
    '/list/length',
    '/list/1e0',
    'list',
    '/list/1/0',
    '/no/no',
  ])
    assert.equal(resolvePointer(document, pointer), undefined, pointer);
});

test('any pointer on any document: no exception, and only what JSON has', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), (document, pointer) => {
      const found = resolvePointer(document, pointer);
      assert.notEqual(typeof found, 'function');
    }),
  );
});
