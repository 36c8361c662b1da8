/** What a client sees of routes, policy, keys and health. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { issueToken } from '../../src/tokens/issue.ts';
import { FREE_PORTS, startTestPlatform } from '../support/platform.ts';

const SECRET = 'a-secret-of-at-least-thirty-two-bytes';
const OLD_SYNTAX = `package serverless
default allow = false
allow {
    input.method == "POST"
    input.path == "/api/function"
    input.user.role == "user"
    input.rate_limit.remaining > 0
}
`;
const SHOP = `${FREE_PORTS}
rate_limit: { requests_per_second: 0.01, burst_size: 4 }
security: { jwt_secret: ${SECRET} }
policy: { files: [policy.rego], rule: data.serverless.allow }
functions:
  app: { source: hostile.wasm, routes: [{ path: /api/function, methods: [GET, POST] }] }
`;

const token = (claims: Record<string, unknown>) => issueToken(Buffer.from(SECRET), claims, 600);

async function ask(url: string, init: RequestInit = {}) {
  const response = await fetch(url, init);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) {
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}

test('the policy decides on every request, denies by default, and sees rate_limit.remaining', async () => {
  await using server = await startTestPlatform(SHOP, { 'policy.rego': OLD_SYNTAX });
  const url = `${server.url}/api/function`;
  const post = async (claims: Record<string, unknown>) =>
    (await ask(url, { method: 'POST', headers: { authorization: `Bearer ${await token(claims)}` } })).status;
  const user = { sub: 'u1', role: 'user' };
  assert.deepEqual(
    [await post(user), await post(user), await post(user), await post(user), await post(user)],
    [200, 200, 200, 200, 429],
    'the whole burst is allowed, the last request of it too',
  );
  assert.equal(await post({ sub: 'u2', role: 'guest' }), 403);
  assert.equal(await post({ sub: 'u3' }), 403);
  const got = await ask(url, {
    headers: { authorization: `Bearer ${await token({ sub: 'u4', role: 'user' })}` },
  });
  assert.equal(got.status, 403);
  assert.equal((JSON.parse(got.text) as { type: string }).type, 'urn:problem-type:mayfly:forbidden');
});

test('a changed policy acts without a restart; a broken one is named and changes nothing', async () => {
  await using server = await startTestPlatform(SHOP, { 'policy.rego': OLD_SYNTAX });
  const file = join(server.folder, 'policy.rego');
  let sub = 0;
  const post = async (role: string) => {
    const authorization = `Bearer ${await token({ sub: `u${sub++}`, role })}`;
    return (await ask(`${server.url}/api/function`, { method: 'POST', headers: { authorization } })).status;
  };
  assert.equal(await post('admin'), 403);
  writeFileSync(file, OLD_SYNTAX.replace('"user"', '"admin"'));
  await until(async () => (await post('admin')) === 200);
  assert.equal(await post('user'), 403);
  writeFileSync(file, 'package serverless\ndefault allow = false\nallow { input.method == }\n');
  await until(async () => /policy\.rego:3/.test(readFileSync(server.log, 'utf8')));
  assert.equal(await post('admin'), 200);
  assert.equal(await post('user'), 403);
});

test('a changed mayfly.yaml acts without a restart; a broken one leaves the old one running and says so', async () => {
  await using server = await startTestPlatform(`${FREE_PORTS}
functions:
  app: { source: hostile.wasm, routes: [{ path: /c1 }] }
`);
  const file = join(server.folder, 'mayfly.yaml');
  const yaml = readFileSync(file, 'utf8');
  assert.equal((await ask(`${server.url}/c1`)).status, 200);
  writeFileSync(file, yaml.replace('/c1', '/c2'));
  await until(async () => (await ask(`${server.url}/c2`)).status === 200);
  assert.equal((await ask(`${server.url}/c1`)).status, 404);
  writeFileSync(file, `${yaml}\nfunktions: {}\n`);
  await until(async () => /funktions/.test(readFileSync(server.log, 'utf8')));
  assert.equal((await ask(`${server.url}/c2`)).status, 200);
});

test('methods: 405 with Allow, OPTIONS, HEAD; 404; health and readiness', async () => {
  await using server = await startTestPlatform(`${FREE_PORTS}
functions:
  app: { source: hostile.wasm, routes: [{ path: /c, methods: [GET] }] }
`);
  const refused = await ask(`${server.url}/c`, { method: 'DELETE' });
  assert.deepEqual([refused.status, refused.headers.get('allow')], [405, 'GET, HEAD, OPTIONS']);
  const options = await ask(`${server.url}/c`, { method: 'OPTIONS' });
  assert.deepEqual([options.status, options.headers.get('allow')], [204, 'GET, HEAD, OPTIONS']);
  const head = await ask(`${server.url}/c`, { method: 'HEAD' });
  assert.deepEqual([head.status, head.text, head.headers.get('content-length')], [200, '', '4']);
  assert.equal((await ask(`${server.url}/C`)).status, 404);
  for (const path of ['/health', '/ready']) {
    const probe = await ask(server.url + path);
    assert.deepEqual([probe.status, probe.text], [200, '{"status":"ok"}\n']);
  }
  assert.equal(
    (await ask(`${server.url}/c`, { headers: { 'x-request-id': 'mine-1' } })).headers.get('x-request-id'),
    'mine-1',
  );
  const forged = await ask(`${server.url}/c`, { headers: { 'x-request-id': 'no spaces, please' } });
  assert.match(forged.headers.get('x-request-id') ?? '', /^[0-9a-f]{12}-/);
});

test('the guest sees the headers of the request: traceparent as it came, a request id always, none about the connection', async () => {
  const guest = join(import.meta.dirname, '../fixtures/guests/sdk.ts');
  await using server = await startTestPlatform(`${FREE_PORTS}
functions:
  app: { source: ${guest}, routes: [{ path: /header }] }
`);
  const seen = async (name: string, headers: Record<string, string>) =>
    (await ask(`${server.url}/header?name=${name}`, { headers })).text;
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  assert.equal(await seen('TraceParent', { traceparent }), traceparent);
  assert.equal(await seen('x-request-id', { 'x-request-id': 'mine-2' }), 'mine-2');
  assert.match(await seen('x-request-id', {}), /^[0-9a-f]{12}-/);
  assert.equal(await seen('connection', {}), '(none)');
});

test('tokens signed with keys of a JWKS address; a rotated key is fetched when a token names it', async () => {
  const pairs = await Promise.all(
    ['ES256', 'EdDSA'].map((alg) => generateKeyPair(alg, { extractable: true })),
  );
  const [first, second] = await Promise.all(
    pairs.map(async ({ publicKey, privateKey }, index) => {
      const alg = index === 0 ? 'ES256' : 'EdDSA';
      const kid = `key-${index}`;
      const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
      const sign = (sub: string) =>
        new SignJWT({ sub })
          .setProtectedHeader({ alg, kid })
          .setIssuedAt()
          .setExpirationTime('5m')
          .sign(privateKey);
      return { jwk, sign };
    }),
  );
  assert.ok(first && second);
  let keys = [first.jwk];
  const issuer = createServer((_request, response) => response.end(JSON.stringify({ keys })));
  await new Promise<void>((resolve) => {
    issuer.listen(0, '127.0.0.1', resolve);
  });
  try {
    const { port } = issuer.address() as AddressInfo;
    await using server = await startTestPlatform(`${FREE_PORTS}
security: { jwks_url: "http://127.0.0.1:${port}/keys", jwks_refresh: 1h }
functions:
  app: { source: hostile.wasm, routes: [{ path: /c }] }
`);
    const get = async (bearer: string) =>
      (await ask(`${server.url}/c`, { headers: { authorization: `Bearer ${bearer}` } })).status;
    assert.equal(await get(await first.sign('u1')), 200);
    assert.equal(
      await get(await issueToken(Buffer.from(SECRET), { sub: 'u1' }, 60)),
      401,
      'HS256 has no key here',
    );
    keys = [first.jwk, second.jwk];
    await until(async () => (await get(await second.sign('u2'))) === 200);
  } finally {
    issuer.close();
  }
});
