import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChallenges } from './challenge.ts';

const plain = (header: string) =>
  parseChallenges(header).map(({ scheme, params }) => ({ scheme, ...Object.fromEntries(params) }));

test('challenges as registries send them', () => {
  assert.deepEqual(
    plain('Bearer realm="https://auth.example.com/token",service="r.example.com",scope="repository:a:pull"'),
    [
      {
        scheme: 'bearer',
        realm: 'https://auth.example.com/token',
        service: 'r.example.com',
        scope: 'repository:a:pull',
      },
    ],
  );
  assert.deepEqual(plain('Basic realm="a, \\"b\\" = c"'), [{ scheme: 'basic', realm: 'a, "b" = c' }]);
  assert.deepEqual(plain('BASIC Realm=plain'), [{ scheme: 'basic', realm: 'plain' }]);
  assert.deepEqual(plain('Bearer realm = "x" , service = "y"'), [
    { scheme: 'bearer', realm: 'x', service: 'y' },
  ]);
});

test('several challenges in one header', () => {
  assert.deepEqual(plain('Negotiate, Basic realm="b", Bearer realm="t",service=s'), [
    { scheme: 'negotiate' },
    { scheme: 'basic', realm: 'b' },
    { scheme: 'bearer', realm: 't', service: 's' },
  ]);
  assert.deepEqual(plain('Negotiate YWJj=, Basic realm="b"'), [
    { scheme: 'negotiate' },
    { scheme: 'basic', realm: 'b' },
  ]);
});

test('nonsense gives what could be read, and nothing else', () => {
  assert.deepEqual(plain(''), []);
  assert.deepEqual(plain(' , ,'), []);
  assert.deepEqual(plain('"'), []);
  assert.deepEqual(plain('Bearer realm="unfinished'), [{ scheme: 'bearer' }]);
  assert.deepEqual(plain('Bearer realm="a" junk realm="b"'), [{ scheme: 'bearer', realm: 'a' }]);
  assert.deepEqual(plain('Bearer realm="first", realm="second"'), [{ scheme: 'bearer', realm: 'first' }]);
});
