import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { normalisePath } from '../../src/http/path.ts';
import { normalised } from './http-stricter.ts';

function rule(path: string): string | null {
  const bytes = Buffer.from(`<<${path}>>`, 'latin1');
  const end = normalisePath(bytes, 2, bytes.length - 2);
  assert.equal(bytes.toString('latin1', 0, 2), '<<', 'wrote before the path');
  assert.equal(bytes.toString('latin1', bytes.length - 2), '>>', 'wrote after the path');
  return end < 0 ? null : bytes.toString('latin1', 2, end);
}

const piece = fc.constantFrom(
  '/',
  '//',
  '.',
  '..',
  '/.',
  '/..',
  'a',
  'B',
  '%',
  '%2e',
  '%2E',
  '%41',
  '%2f',
  '%5C',
  '%00',
  '%7f',
  '%e2%82%AC',
  '%25',
  ';',
  '~',
  '%4',
);
const paths = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`);

test('the path rule does what its second, independent wording does', () => {
  fc.assert(
    fc.property(paths, (path) => {
      assert.equal(rule(path), normalised(path), path);
    }),
    { numRuns: 5000 },
  );
});

test('normalising twice changes nothing more', () => {
  fc.assert(
    fc.property(paths, (path) => {
      const once = rule(path);
      if (once !== null) assert.equal(rule(once), once, path);
    }),
    { numRuns: 2000 },
  );
});

test('the cases that the reference documents', () => {
  const cases: [string, string | null][] = [
    ['/', '/'],
    ['/a/b', '/a/b'],
    ['/a/', '/a/'],
    ['//a///b', '/a/b'],
    ['/a/./b/../c', '/a/c'],
    ['/a/..', '/'],
    ['/a/b/.', '/a/b/'],
    ['/%41%7e', '/A~'],
    ['/%e2%82%ac', '/%E2%82%AC'],
    ['/%2e%2e', null],
    ['/a%2Fb', null],
    ['/..', null],
    ['/%', null],
    ['/%0a', null],
  ];
  for (const [path, expected] of cases) assert.equal(rule(path), expected, path);
});
