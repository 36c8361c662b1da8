import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { redirectTarget, safeFetch } from './safe-fetch.ts';

test('what began over TLS stays there; no other scheme at all', () => {
  const secure = new URL('https://keys.test/a/jwks.json');
  const plain = new URL('http://keys.test/a/jwks.json');
  assert.equal(redirectTarget(secure, 'b.json').href, 'https://keys.test/a/b.json');
  assert.equal(redirectTarget(secure, '//other.test/b').href, 'https://other.test/b');
  assert.equal(redirectTarget(plain, 'https://other.test/b').href, 'https://other.test/b');
  assert.equal(redirectTarget(plain, '/b').href, 'http://keys.test/b');
  for (const location of ['http://keys.test/b', 'file:///etc/passwd', 'data:,x', 'https://', 'ftp://a/']) {
    assert.throws(() => redirectTarget(secure, location), /redirects to where nobody should go/, location);
  }
  assert.throws(() => redirectTarget(plain, 'file:///etc/passwd'), /redirects to where/);
});

test('some redirects are followed, endless ones are not', async () => {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    const left = Number(request.url?.slice(1));
    if (left === 0) response.end('here');
    else response.writeHead(302, { location: `/${left - 1}` }).end('moved');
  });
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  try {
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const ask = (path: string) => safeFetch(`${base}/${path}`, {}, AbortSignal.timeout(5000));
    assert.equal(await (await ask('3')).text(), 'here');
    requests = 0;
    await assert.rejects(ask('100'), /redirects more than 3 times/);
    assert.equal(requests, 4);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
