import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DELETE, GET, HEAD, OPTIONS, POST, type MethodName } from '../model/method.ts';
import type { RouteSpec } from '../model/route.ts';
import { Router } from './router.ts';

function route(path: string, methods: readonly MethodName[] | null = null, host: string | null = null) {
  const spec: RouteSpec = {
    id: `${host ?? '*'} ${methods?.join() ?? 'ANY'} ${path}`,
    function: 'f',
    host,
    path,
    methods,
    auth: 'public',
    rateLimit: null,
    policy: null,
  };
  return { spec };
}

test('an exact path wins over a prefix, and a longer prefix over a shorter one', () => {
  const router = new Router([route('/api/*'), route('/api/orders/*'), route('/api/orders/new')]);
  assert.equal(router.find('', '/api/orders/new')?.pattern, '/api/orders/new');
  assert.equal(router.find('', '/api/orders/17')?.pattern, '/api/orders/*');
  assert.equal(router.find('', '/api/other')?.pattern, '/api/*');
  assert.equal(router.find('', '/api'), null, 'a prefix does not match the folder itself');
  assert.equal(router.find('', '/'), null);
});

test("a host's own routes win, and fall back to those for every host", () => {
  const router = new Router([route('/a'), route('/a', null, 'shop.example'), route('/b')]);
  assert.equal(router.find('shop.example', '/a')?.byMethod[GET]?.spec.host, 'shop.example');
  assert.equal(router.find('other.example', '/a')?.byMethod[GET]?.spec.host, null);
  assert.equal(router.find('shop.example', '/b')?.byMethod[GET]?.spec.host, null);
});

test('methods: HEAD follows GET, Allow lists what exists, a route for all methods takes the rest', () => {
  const router = new Router([route('/a', ['GET']), route('/b', ['POST']), route('/b')]);
  const a = router.find('', '/a');
  assert.equal(a?.allow, 'GET, HEAD, OPTIONS');
  assert.equal(a?.byMethod[HEAD], a?.byMethod[GET]);
  assert.equal(a?.byMethod[POST], null);
  assert.equal(a?.byMethod[OPTIONS], null);
  const b = router.find('', '/b');
  assert.deepEqual(b?.byMethod[POST]?.spec.methods, ['POST']);
  assert.equal(b?.byMethod[DELETE]?.spec.methods, null);
});
