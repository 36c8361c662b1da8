import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Automaton } from './automaton.ts';
import { globPattern } from './glob.ts';
import { parsePattern } from './syntax.ts';

const piece = fc.constantFrom(
  'a',
  'b',
  '.',
  '[ab]',
  '[^a]',
  '\\d',
  '\\.',
  '^',
  '$',
  '(a|b)',
  '(?:ab)*',
  'a+',
  'b?',
  'a{1,2}',
  '\\w+?',
  'é',
);
const pattern = fc.oneof(
  fc.array(piece, { maxLength: 6 }).map((parts) => parts.join('')),
  fc.array(piece, { minLength: 2, maxLength: 4 }).map((parts) => parts.join('|')),
);
// No letters beyond U+FFFF: V8 14 says that /[^a]$/u does not match '😀'.
const subject = fc.string({ unit: fc.constantFrom('a', 'b', '1', '.', '\n', 'é'), maxLength: 12 });

test('finds what JavaScript finds, where both mean the same', () => {
  fc.assert(
    fc.property(pattern, subject, (text, input) => {
      const parsed = parsePattern(text);
      assert.ok(parsed);
      // Outside of classes only `.` differs: JavaScript has more line breaks.
      const expected = new RegExp(text.replaceAll(/(?<!\\)\./g, '[^\\n]'), 'u').test(input);
      assert.equal(Automaton.of(parsed)?.test(input), expected, `${text} in ${JSON.stringify(input)}`);
    }),
    { numRuns: 3000 },
  );
});

test('a letter beyond U+FFFF is one letter', () => {
  for (const text of ['[^a]$', '^.$', '^[^a]$', '😀', '[a😀]', '^😀{1}$']) {
    assert.equal(Automaton.of(parsePattern(text)!)!.test('😀'), true, text);
  }
  assert.equal(Automaton.of(parsePattern('^..$')!)!.test('😀'), false);
});

test('never throws on a pattern, whatever it is', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'ab()[]{}|*+?^$\\.-,019:<P'), maxLength: 14 }),
      subject,
      (text, input) => {
        const parsed = parsePattern(text);
        if (parsed !== null) Automaton.of(parsed)?.test(input);
      },
    ),
    { numRuns: 3000 },
  );
});

test('takes linear time and bounded memory where a backtracking matcher explodes', () => {
  const automaton = Automaton.of(parsePattern('^(a+)+$|(a|b)*a(a|b){12}c')!)!;
  assert.equal(automaton.test(`${'a'.repeat(50_000)}!`), false);
  assert.equal(automaton.test(`${'ab'.repeat(20_000)}aabbabababababc`), true);
  assert.equal(Automaton.of(parsePattern('(a{1000}){1000}')!), null);
});

test('refuses what dialects read in different ways', () => {
  for (const text of [
    '(?i)a',
    '\\pL',
    '\\bx',
    '[[:alpha:]]',
    'a**',
    '*a',
    '(a',
    'a)',
    '[',
    '[b-a]',
    '(?P<n>a)',
    'a{1001}',
    '\\Q',
  ]) {
    assert.equal(parsePattern(text), null, text);
  }
});

const glob = (text: string, input: string, separators = '/') =>
  Automaton.of(globPattern(text, separators)!)!.test(input);

test('globs', () => {
  assert.equal(glob('/users/*/profile', '/users/7/profile'), true);
  assert.equal(glob('/users/*/profile', '/users/7/8/profile'), false);
  assert.equal(glob('/public/**', '/public/a/b'), true);
  assert.equal(glob('a?c', 'a/c'), false);
  assert.equal(glob('a.c', 'abc'), false);
  assert.equal(glob('\\*', '*'), true);
  assert.equal(globPattern('{a,b}', '/'), null);
});
