import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecisionLog, MASKED } from './decision-log.ts';

const decision = { policy: 'shop', entrypoint: 'shop/allow', allowed: true, requestId: 'r1', time: 5 };

function logged(mask: readonly string[], input: unknown): unknown {
  const log = new DecisionLog({ sample: 1, mask });
  return JSON.parse(JSON.stringify(log.record({ ...decision, input }).input));
}

test('denied decisions are always wanted, allowed ones by their share', () => {
  const log = new DecisionLog({ sample: 0.25, mask: [] });
  assert.equal(log.wants(false, 0.99), true);
  assert.equal(log.wants(true, 0.24), true);
  assert.equal(log.wants(true, 0.25), false);
  assert.equal(new DecisionLog({ sample: 0, mask: [] }).wants(true, 0), false);
});

test('masks by pointer and by name, and never shows credentials', () => {
  const input = {
    user: { email: 'a@b', name: 'A', nested: [{ EMAIL: 'x' }] },
    'a/b': 1,
    request: { headers: { Authorization: 'Bearer x', cookie: 'y', accept: '*/*' } },
  };
  assert.deepEqual(logged(['/user/name', 'email', '/a~1b', '/user/nested/7'], input), {
    user: { email: MASKED, name: MASKED, nested: [{ EMAIL: MASKED }] },
    'a/b': MASKED,
    request: { headers: { Authorization: MASKED, cookie: MASKED, accept: '*/*' } },
  });
});

test('the record is a copy of bounded size', () => {
  const input = { user: { role: 'user' } };
  const record = new DecisionLog({ sample: 1, mask: [] }).record({ ...decision, input });
  input.user.role = 'admin';
  assert.equal((record.input as typeof input).user.role, 'user');

  const deep = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000));
  const wide = Array.from({ length: 100_000 }, (_, i) => i);
  const named = Object.fromEntries(wide.map((i) => [`k${i}`, i]));
  for (const hostile of [deep, wide, named, { deep, wide, named }, 'x'.repeat(1e6), [wide, wide, wide]]) {
    assert.ok(JSON.stringify(logged([], hostile) ?? null).length < 30_000);
  }
});

test('a member called __proto__ is copied, not obeyed', () => {
  const input = JSON.parse('{"__proto__":{"admin":true},"x":1}');
  assert.equal(JSON.stringify(logged([], input)), '{"__proto__":{"admin":true},"x":1}');
});
