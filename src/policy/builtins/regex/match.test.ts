import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LinearRegex } from './match.ts';
import { PatternError, UnsupportedPattern } from './syntax.ts';

/** Expected pieces are what Go 1.26's regexp gives. */
const cases: [pattern: string, text: string, pieces: string[]][] = [
  [',', 'a,b,,c', ['a', 'b', '', 'c']],
  ['a*', 'baac', ['b', 'c']],
  ['', 'aé😀', ['a', 'é', '😀']],
  ['', '', ['']],
  [',', '', ['']],
  [',$', 'a,b,', ['a,b', '']],
  ['^a', 'aab', ['', 'ab']],
  ['(?m:$)', 'a\nb', ['a', '\nb']],
  ['\\B+?', '1AA1😀', ['1', 'A', 'A', '1😀']],
  ['(ab|a)(c|bcd)', 'xabcdx', ['x', 'dx']],
  ['a+?', 'baab', ['b', '', 'b']],
  ['(?i)É', 'aébÉc', ['a', 'b', 'c']],
  ['[^[:alpha:]]+', 'one, two;3three', ['one', 'two', 'three']],
  ['[\\d_-]', '1a_b-c', ['', 'a', 'b', 'c']],
  ['\\p{Greek}+|\\PL', 'aλμb1c', ['a', 'b', 'c']],
  ['x{2,3}', 'axxxxb', ['a', 'xb']],
  ['\\.|\\x2d|\\x{1F600}', 'a.b-c😀d', ['a', 'b', 'c', 'd']],
  ['.', 'a\nb', ['', '\n', '']],
];
for (const [pattern, text, pieces] of cases) {
  test(`${pattern} splits ${JSON.stringify(text)}`, () => {
    assert.deepEqual(new LinearRegex(pattern).split(text), pieces);
  });
}

test('wrong patterns and those not covered are told apart', () => {
  for (const pattern of [
    '(',
    ')',
    '[',
    'a**',
    '*',
    '{2}',
    'a{3,2}',
    'a{1001}',
    '[z-a]',
    '(?x)',
    '\\p{Nope}',
    '\\',
  ]) {
    assert.throws(() => new LinearRegex(pattern), PatternError, pattern);
  }
  for (const pattern of [
    '\\Qa\\E',
    'a(?i)+',
    '((a{1000}){1000}){1000}',
    '('.repeat(1000) + ')'.repeat(1000),
  ]) {
    assert.throws(() => new LinearRegex(pattern), UnsupportedPattern, pattern.slice(0, 50));
  }
});

test('patterns that make backtracking matchers run for years end', () => {
  const text = 'a'.repeat(5000);
  for (const pattern of ['(a*)*b', '(a|a)*b', '(a|aa)+$b', 'a*a*a*a*a*a*b', '(.*)(.*)(.*)(.*)x']) {
    assert.deepEqual(new LinearRegex(pattern).split(text), [text]);
  }
});

test('on what both understand alike, it agrees with JavaScript', () => {
  const atom = fc.constantFrom(
    'a',
    'b',
    '.',
    '[ab]',
    '[^a]',
    '\\d',
    '\\w',
    '(?:a|b)',
    '(?:ab|a)',
    '\\b',
    'c',
  );
  const quantifier = fc.constantFrom('', '', '*', '+', '?', '*?', '+?', '{1,2}');
  const consuming = fc.array(fc.tuple(atom, quantifier), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(consuming, fc.stringMatching(/^[abc1 ]{0,12}$/), (parts, text) => {
      const pattern = parts.map(([a, q]) => (a === '\\b' ? a : a + q)).join('');
      // Empty matches split differently in the two languages.
      if (new RegExp(`^(?:${pattern})$`, 'u').test('') || text === '') return;
      if ([...text.matchAll(new RegExp(pattern, 'gu'))].some(([match]) => match === '')) return;
      assert.deepEqual(new LinearRegex(pattern).split(text), text.split(new RegExp(pattern, 'u')));
    }),
  );
});
