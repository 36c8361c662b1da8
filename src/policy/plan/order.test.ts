import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BigDecimal, fromDecimal, parseNumber, toDecimal, toDouble } from './numbers.ts';
import { compare, compareStrings, equal } from './order.ts';
import { canonicalText, RegoObject, RegoSet } from './values.ts';

const json = fc.jsonValue({ maxDepth: 3 });
const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.maxSafeInteger());

test('the order is total, and equal values have one text', () => {
  fc.assert(
    fc.property(json, json, json, (a, b, c) => {
      assert.equal(compare(a, a), 0);
      assert.equal(Math.sign(compare(a, b)) + Math.sign(compare(b, a)), 0);
      if (compare(a, b) <= 0 && compare(b, c) <= 0) assert.ok(compare(a, c) <= 0);
      assert.equal(equal(a, b), compare(a, b) === 0);
      assert.equal(canonicalText(a) === canonicalText(b), equal(a, b));
    }),
  );
});

test('texts are in the order of their UTF-8 bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      assert.equal(Math.sign(compareStrings(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});

test('every double is the decimal it shows', () => {
  fc.assert(
    fc.property(number, (value) => {
      assert.equal(parseNumber(String(value)), value + 0);
      const { coefficient, exponent } = toDecimal(value);
      assert.equal(fromDecimal(coefficient, exponent), value + 0);
    }),
  );
});

test('a number that no double shows keeps all of its digits', () => {
  const big = parseNumber('9007199254740993') as BigDecimal;
  assert.ok(big instanceof BigDecimal);
  assert.ok(compare(big, 9007199254740992) > 0);
  assert.ok(compare(big, 9007199254740994) < 0);
  assert.equal(compare(big, parseNumber('9007199254740993.0')), 0);
  assert.equal(toDouble(big), 9007199254740992);
  assert.equal(parseNumber('1e99999'), undefined);
  assert.equal(parseNumber('0x10'), undefined);
});

test('keys and elements of any type', () => {
  const object = new RegoObject();
  object.set([1, { a: null }], 'array');
  object.set('[1,{"a":null}]', 'text');
  object.set(1, 'number');
  object.set('1', 'digit');
  assert.equal(object.size, 4);
  assert.equal(object.get([1, { a: null }]), 'array');
  assert.equal(object.get('[1,{"a":null}]'), 'text');
  assert.equal(object.get(1), 'number');
  const set = RegoSet.of([RegoSet.of([1, 2]), RegoSet.of([2, 1]), [2, 1], {}, new RegoObject()]);
  assert.equal(set.size, 3);
});
