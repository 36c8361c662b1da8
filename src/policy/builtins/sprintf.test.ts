import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sprintf, type FormatArgument } from './sprintf.ts';

const int = (value: bigint): FormatArgument => ({ kind: 'int', value });
const float = (value: number): FormatArgument => ({ kind: 'float', value });
const string = (value: string): FormatArgument => ({ kind: 'string', value });

/** Expected texts are what Go 1.26's fmt.Sprintf prints. */
const cases: [format: string, args: FormatArgument[], expected: string][] = [
  ['plain', [], 'plain'],
  ['%s has %d', [string('u1'), int(3n)], 'u1 has 3'],
  ['%v|%5v|%-5v|%05d', [int(42n), int(42n), int(42n), int(-42n)], '42|   42|42   |-0042'],
  ['%d', [int(123456789012345678901234567890n)], '123456789012345678901234567890'],
  [
    '%x %X %o %b %c %#x',
    [int(255n), int(255n), int(8n), int(5n), int(233n), int(255n)],
    'ff FF 10 101 é 0xff',
  ],
  ['%q %x %.2s|%4s', [string('a"\n'), string('hé'), string('éàü'), string('é')], '"a\\"\\n" 68c3a9 éà|   é'],
  ['%v %v %v', [float(1.5), float(1e20), float(123456789)], '1.5 1e+20 1.23456789e+08'],
  [
    '%f %.2f %8.3f %+.1f',
    [float(1.5), float(2.345), float(-3.14159), float(2)],
    '1.500000 2.35   -3.142 +2.0',
  ],
  ['%.0f %.0f %.1f', [float(2.5), float(3.5), float(0.25)], '2 4 0.2'],
  [
    '%e %.2E %g %G',
    [float(123456), float(0.00012), float(1e-7), float(1e21)],
    '1.234560e+05 1.20E-04 1e-07 1E+21',
  ],
  ['%.3g %.10g', [float(1234.5678), float(100000)], '1.23e+03 100000'],
  ['%t', [string('true')], '%!t(string=true)'],
  ['%d', [string('hi')], '%!d(string=hi)'],
  ['%s', [int(7n)], '%!s(int64=7)'],
  ['%d %d', [int(1n)], '1 %!d(MISSING)'],
  ['%d', [int(1n), string('x'), float(2.5)], '1%!(EXTRA string=x, float64=2.5)'],
  ['%[2]d %[1]d', [int(1n), int(2n)], '2 1'],
  ['%[3]d', [int(1n)], '%!d(BADINDEX)'],
  ['%*d|%-*d|%.*f', [int(4n), int(1n), int(3n), int(2n), int(1n), float(0.55)], '   1|2  |0.6'],
  ['%!', [], '%!!(MISSING)'],
  ['100%', [], '100%!(NOVERB)'],
  ['%%d', [], '%d'],
  ['%z', [int(1n)], '%!z(int64=1)'],
  ['%T %T %T', [int(1n), float(1), string('')], 'int64 float64 string'],
];
for (const [format, args, expected] of cases) {
  test(`sprintf ${JSON.stringify(format)}`, () => assert.equal(sprintf(format, args), expected));
}

test('no format makes it fail or explode', () => {
  const argument = fc.oneof(
    fc.bigInt().map(int),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(float),
    fc.string().map(string),
  );
  const piece = fc.oneof(
    fc.string(),
    fc.stringMatching(/^%[-+# 0]{0,3}(\[\d\])?(\*|\d{1,9})?(\.(\*|\d{0,9}))?[a-zA-Z%]?$/),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 4 }), fc.array(argument, { maxLength: 4 }), (pieces, args) => {
      assert.ok(sprintf(pieces.join(''), args).length < 9_000_000);
    }),
  );
});
