import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { editDistance, nearest } from './nearest.ts';

test('the nearest word is the one a slip away', () => {
  const words = ['port', 'host', 'timeout', 'max_connections'];
  assert.equal(nearest('prot', words), 'port');
  assert.equal(nearest('timout', words), 'timeout');
  assert.equal(nearest('maxConnections', words), 'max_connections');
  assert.equal(nearest('PORT', words), 'port');
  assert.equal(nearest('burst_size', words), null);
  assert.equal(nearest('', words), null);
});

test('edit distance is a symmetric distance, zero for equals, one for a swap of neighbours', () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      assert.equal(editDistance(a, b), editDistance(b, a));
      assert.equal(editDistance(a, b) === 0, a === b);
      assert.ok(editDistance(a, b) <= Math.max(a.length, b.length));
    }),
  );
  assert.equal(editDistance('ab', 'ba'), 1);
  assert.equal(editDistance('kitten', 'sitting'), 3);
});
