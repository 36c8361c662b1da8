import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Session } from './session.ts';
import { TokenCache } from './token-cache.ts';

const sessionOf = (sub: string, expiresAtMs = Infinity): Session => new Session({ sub }, expiresAtMs);

function get(cache: TokenCache, value: string): string | null {
  const bytes = Buffer.from(`before${value}after`);
  return cache.get(bytes, 6, bytes.length - 5, 0)?.subject ?? null;
}

test('a token is found by all of its bytes, not by those that are hashed', () => {
  const tail = 'x'.repeat(24);
  const cache = new TokenCache(1e6);
  cache.set(Buffer.from(`Bearer a${tail}`), sessionOf('a'));
  assert.equal(get(cache, `Bearer a${tail}`), 'a');
  assert.equal(get(cache, `Bearer b${tail}`), null);
  assert.equal(get(cache, `Bearer aa${tail}`), null);
  assert.equal(get(cache, tail), null);
  assert.equal(get(cache, ''), null);
});

test('it is bounded, and what is in use survives what is not', () => {
  const cache = new TokenCache(200_000);
  cache.set(Buffer.from('Bearer regular'), sessionOf('regular'));
  for (let i = 0; i < 10_000; i++) {
    cache.set(Buffer.from(`Bearer passer-by ${i}`), sessionOf(`p${i}`));
    if (i % 20 === 0) assert.equal(get(cache, 'Bearer regular'), 'regular');
  }
  assert.ok(cache.size < 200, `${cache.size} entries`);
  assert.equal(get(cache, 'Bearer passer-by 0'), null);
  assert.equal(get(cache, 'Bearer passer-by 9999'), 'p9999');
});

test('large tokens count for what they are', () => {
  const cache = new TokenCache(1_000_000);
  for (let i = 0; i < 1000; i++) cache.set(Buffer.from(`${i} ${'x'.repeat(8000)}`), sessionOf(`${i}`));
  assert.ok(cache.size <= 120, `${cache.size} entries`);
});

test('whatever is put in and asked for: never the session of another token', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 40, unit: fc.constantFrom('a', 'b') }), { maxLength: 300 }),
      (tokens) => {
        const cache = new TokenCache(20_000);
        for (const token of tokens) {
          const found = get(cache, token);
          assert.ok(found === null || found === `of ${token}`);
          cache.set(Buffer.from(token), sessionOf(`of ${token}`));
          assert.equal(get(cache, token), `of ${token}`);
        }
      },
    ),
  );
});
