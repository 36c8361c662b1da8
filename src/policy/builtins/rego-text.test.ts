import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toJsonValue } from '../plan/operations.ts';
import { arrayItems, parseRego, writeRego } from './rego-text.ts';

test('sets are sorted, keys of any type become text, numbers keep their size', () => {
  assert.deepEqual(toJsonValue(parseRego('{{"result": {3, "a", 1, null, [1], true}}}')), [
    { result: [null, true, 1, 3, 'a', [1]] },
  ]);
  assert.deepEqual(toJsonValue(parseRego('{[1, 2]: set(), 7: {}, "__proto__": "}"}')), {
    '[1,2]': [],
    '7': {},
    ['__proto__']: '}',
  });
  assert.deepEqual(arrayItems('["a, b", {1, 2}, 123456789012345678901234567890, [[], "\\""]]'), [
    '"a, b"',
    '{1, 2}',
    '123456789012345678901234567890',
    '[[], "\\""]',
  ]);
  assert.deepEqual(arrayItems('[]'), []);
});

test('values are written in order', () => {
  const text = '{"b": {3, 1, "x"}, "a": [set(), {}], 7: {[2], null}}';
  assert.equal(writeRego(parseRego(text)), '{7: {null, [2]}, "a": [set(), {}], "b": {1, 3, "x"}}');
});

test('any JSON value, spaced as OPA spaces it, is read back', () => {
  const spaced = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    return `{${Object.entries(value)
      .map(([key, member]) => `${JSON.stringify(key)}: ${spaced(member)}`)
      .join(', ')}}`;
  };
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const plain = JSON.parse(JSON.stringify(value));
      assert.deepEqual(JSON.parse(JSON.stringify(toJsonValue(parseRego(spaced(plain))))), plain);
    }),
  );
});

test('anything else is an error', () => {
  for (const text of ['', '{', '[1,2]', '{1, 2', '"a', 'nul', 'true false', '{"a":1}', '--1', '[1, ]']) {
    assert.throws(() => parseRego(text), SyntaxError, text);
  }
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        parseRego(text);
      } catch (error) {
        assert.ok(error instanceof SyntaxError);
      }
    }),
  );
});
