import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  formatDuration,
  formatQuantity,
  parseCpu,
  parseDuration,
  parseQuantity,
  parseShare,
  type Parsed,
} from './units.ts';

const cases: [(text: string) => Parsed, string, number | string][] = [
  [parseShare, '1%', 0.01],
  [parseShare, '0.5%', 0.005],
  [parseShare, '100%', 1],
  [parseShare, '0.01', 'needs a %'],
  [parseShare, '1 %', 'is not a share'],
  [parseShare, '-1%', 'is not a share'],
  [parseShare, '', 'is not a share'],
  [parseDuration, '30s', 30_000],
  [parseDuration, '250ms', 250],
  [parseDuration, '5m', 300_000],
  [parseDuration, '1h30m', 5_400_000],
  [parseDuration, '1d2h3m4s5ms', 93_784_005],
  [parseDuration, '1.5s', 1500],
  [parseDuration, '0.001s', 1],
  [parseDuration, '0', 0],
  [parseDuration, '30', 'needs a unit'],
  [parseDuration, '1.5', 'needs a unit'],
  [parseDuration, '', 'is not a duration'],
  [parseDuration, '30 s', 'is not a duration'],
  [parseDuration, '-30s', 'is not a duration'],
  [parseDuration, '30S', 'is not a duration'],
  [parseDuration, '30sec', 'is not a duration'],
  [parseDuration, '1e3s', 'is not a duration'],
  [parseDuration, '٣s', 'is not a duration'],
  [parseDuration, '30m1h', 'has its units out of order'],
  [parseDuration, '1s1s', 'has its units out of order'],
  [parseDuration, '0.5ms', 'is not a whole number of milliseconds'],
  [parseDuration, '99999999999999999999d', 'is too large'],
  [parseQuantity, '64Mi', 67_108_864],
  [parseQuantity, '1Gi', 1_073_741_824],
  [parseQuantity, '500k', 500_000],
  [parseQuantity, '1.5Ki', 1536],
  [parseQuantity, '1024', 1024],
  [parseQuantity, '64Mib', 'is not a size'],
  [parseQuantity, '64mi', 'is not a size'],
  [parseQuantity, '1K', 'is not a size'],
  [parseQuantity, '-1', 'is not a size'],
  [parseQuantity, '0.3', 'is not a whole number of bytes'],
  [parseQuantity, '9007199254740992', 'is too large'],
  [parseCpu, '100m', 100],
  [parseCpu, '0.5', 500],
  [parseCpu, '2', 2000],
  [parseCpu, '0.001', 1],
  [parseCpu, '0.0001', 'is finer than a thousandth of a core'],
  [parseCpu, '1.5m', 'is not a CPU share'],
  [parseCpu, '10%', 'is not a CPU share'],
];

for (const [parse, text, expected] of cases) {
  test(`${parse.name}(${JSON.stringify(text)}) is ${expected}`, () => {
    const wanted = typeof expected === 'number' ? { value: expected } : { problem: expected };
    assert.deepEqual(parse(text), wanted);
  });
}

test('a formatted duration reads back as itself', () => {
  fc.assert(
    fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (milliseconds) => {
      assert.deepEqual(parseDuration(formatDuration(milliseconds)), { value: milliseconds });
    }),
  );
});

test('a formatted size reads back as itself', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 31 }), fc.constantFrom(1, 2 ** 10, 2 ** 20), (count, scale) => {
      assert.deepEqual(parseQuantity(formatQuantity(count * scale)), { value: count * scale });
    }),
  );
});

test('decimals are exact: a thousandth more in the text is one more in the value, or nothing is accepted', () => {
  fc.assert(
    fc.property(fc.nat({ max: 1e9 }), (thousandths) => {
      const text = `${Math.floor(thousandths / 1000)}.${String(thousandths % 1000).padStart(3, '0')}`;
      assert.deepEqual(parseCpu(text), { value: thousandths });
      assert.deepEqual(parseDuration(`${text}s`), { value: thousandths });
    }),
  );
});

test('no text makes a parser throw or answer with anything but a whole number or a problem', () => {
  const near = fc.stringMatching(/^[0-9.]{0,5}[a-zA-Z%]{0,3}[0-9.]{0,5}[a-zA-Z ]{0,3}$/);
  fc.assert(
    fc.property(fc.oneof(near, fc.string()), (text) => {
      for (const parse of [parseDuration, parseQuantity, parseCpu]) {
        const parsed = parse(text);
        assert.ok('problem' in parsed ? parsed.problem.length > 0 : Number.isSafeInteger(parsed.value));
      }
    }),
    { numRuns: 2000 },
  );
});
