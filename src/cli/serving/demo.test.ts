import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RouteSpec } from '../../model/route.ts';
import { curlLine, demoFromRoutes } from './demo.ts';

const route = (changes: Partial<RouteSpec>): RouteSpec => ({
  id: 'r',
  function: 'f',
  host: null,
  path: '/a/*',
  methods: ['POST', 'GET'],
  auth: 'required',
  rateLimit: null,
  policy: null,
  ...changes,
});

test('from routes alone: what surely answers, and what surely refuses', () => {
  const call = { method: 'GET', path: '/a/', claims: null };
  assert.deepEqual(demoFromRoutes([route({})], true), {
    allowed: { ...call, claims: { sub: 'demo' } },
    denied: call,
  });
  assert.deepEqual(demoFromRoutes([route({})], false), { allowed: null, denied: call });
  assert.deepEqual(demoFromRoutes([route({ auth: 'public', methods: ['POST'] })], false), {
    allowed: { ...call, method: 'POST' },
    denied: null,
  });
  const policy = { policy: 'p', entrypoint: 'a/allow', mapping: [] };
  assert.equal(demoFromRoutes([route({ policy })], true).allowed, null);
});

test('whatever the body and the path, the shell passes on exactly that', () => {
  const text = fc.string({ unit: 'binary' }).filter((value) => !value.includes('\0') && value.isWellFormed());
  fc.assert(
    fc.property(text, text, (body, token) => {
      const line = curlLine('http://h', { method: 'PUT', path: '/a?b&c', claims: null, body }, token);
      const asked = line.replace(/^curl/, `printf '%s\\0'`);
      const words = execFileSync('sh', ['-c', asked], { encoding: 'utf8' }).split('\0').slice(0, -1);
      assert.deepEqual(words, [
        '-i',
        '-X',
        'PUT',
        '-H',
        `Authorization: Bearer ${token}`,
        '-H',
        'Content-Type: application/json',
        '-d',
        body,
        'http://h/a?b&c',
      ]);
    }),
    { numRuns: 50 },
  );
});
