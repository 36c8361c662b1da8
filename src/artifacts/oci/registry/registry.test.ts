/** The client against a registry that misbehaves in every way that real ones and the networks before them do. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { makeTestFolder } from '../../../../test/support/folder.ts';
import { openTestRegistry, testImage } from '../../../../test/support/images.ts';
import {
  type FakeRegistry,
  type FakeRegistryOptions,
  refuse,
  startFakeRegistry,
} from '../../../../test/support/registry.ts';
import { MayflyError } from '../../../model/errors.ts';
import { digestOf } from '../../digest.ts';
import { copyImage } from '../copy.ts';
import { limits } from '../limits.ts';
import { requireImage } from '../repository.ts';

const TLS = join(import.meta.dirname, '../../../../test/fixtures/tls');
const [key, cert] = ['key.pem', 'certificate.pem'].map((name) => readFileSync(join(TLS, name), 'utf8')) as [
  string,
  string,
];
const BLOB = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251));
const DIGEST = digestOf(BLOB);
const blob = { mediaType: 'x', digest: DIGEST, size: BLOB.length };

const problem =
  (code: string, text = /./) =>
  (error: unknown) =>
    error instanceof MayflyError && error.code === code && text.test(error.message);

/** Does something to the first `times` requests that match. */
function onFirst(
  times: number,
  pattern: RegExp,
  fault: NonNullable<FakeRegistryOptions['fault']>,
): NonNullable<FakeRegistryOptions['fault']> {
  let left = times;
  return (request, response, registry) => {
    if (left === 0 || !pattern.test(`${request.method} ${request.url}`)) return false;
    left--;
    return fault(request, response, registry);
  };
}

const count = (registry: FakeRegistry, pattern: RegExp) =>
  registry.seen.filter((line) => pattern.test(line)).length;

function signedIn(registry: FakeRegistry, user: string, password: string) {
  const auth = Buffer.from(`${user}:${password}`).toString('base64');
  const folder = makeTestFolder({ 'config.json': JSON.stringify({ auths: { [registry.host]: { auth } } }) });
  return {
    env: { DOCKER_CONFIG: folder.path, HOME: folder.path },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

test('a busy registry, a broken one and a lost connection are tried again', async () => {
  const faults: NonNullable<FakeRegistryOptions['fault']>[] = [
    (_, response) => !refuse(response, 429, 'TOOMANYREQUESTS'),
    (_, response) => !refuse(response, 503, 'UNAVAILABLE'),
    (_, response) => !refuse(response, 500, 'UNKNOWN'),
    (_, response) => !response.destroy().writable || true,
    (_, response) => {
      response.writeHead(200, { 'content-length': '5000' }).write('half', () => response.destroy());
      return true;
    },
  ];
  for (const [index, fault] of faults.entries()) {
    await using registry = await startFakeRegistry({
      fault: onFirst(3, /^(GET|PUT) .*(manifests|blobs\/sha256)/, fault),
    });
    const { content, root } = testImage('a');
    const repository = openTestRegistry(`${registry.host}/shop/orders`);
    await content.writeTo(repository, root.digest, '1.0');
    assert.equal((await requireImage(repository, '1.0')).digest, root.digest, `fault ${index}`);
  }
});

test('a registry that stays busy is given up, with its own words', async () => {
  await using registry = await startFakeRegistry({
    fault: (request, response) => request.url !== '/v2/' && !refuse(response, 429, 'TOOMANYREQUESTS'),
  });
  await assert.rejects(
    requireImage(openTestRegistry(`${registry.host}/a`), '1'),
    problem('registry-busy', /too many requests \(toomanyrequests\)/),
  );
  assert.equal(count(registry, /manifests/), 6);
});

test('Retry-After is obeyed', async () => {
  await using registry = await startFakeRegistry({
    fault: onFirst(1, /manifests/, (_, response) => {
      response.setHeader('retry-after', '7');
      return !refuse(response, 503, 'UNAVAILABLE');
    }),
  });
  const pauses: number[] = [];
  const sleep = async (milliseconds: number) => void pauses.push(milliseconds);
  const repository = openTestRegistry(`${registry.host}/a`, { sleep });
  assert.equal(await repository.find('1'), null);
  assert.deepEqual(pauses, [7000]);
});

test('a download that breaks off goes on where it was', async () => {
  for (const ranges of [true, false]) {
    await using registry = await startFakeRegistry({
      fault: onFirst(3, /^GET .*blobs/, (request, response, own) => {
        const from = ranges ? Number(/=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0;
        const bytes = own.blobs.get(DIGEST) as Buffer;
        const headers = { 'content-length': bytes.length - from };
        response.writeHead(from > 0 ? 206 : 200, headers);
        response.write(bytes.subarray(from, from + 1000), () => setTimeout(() => response.destroy(), 20));
        return true;
      }),
    });
    registry.blobs.set(DIGEST, BLOB);
    const repository = openTestRegistry(`${registry.host}/a`);
    assert.deepEqual(Buffer.from(await repository.blob(blob)), BLOB);
    assert.equal(count(registry, /^GET .*blobs/), 4);
  }
});

test('an upload goes in chunks, and after a lost connection from where the registry is', async () => {
  let cut = 3;
  await using registry = await startFakeRegistry({
    async fault(request, response, own) {
      if (cut === 0 || !/^(PATCH|PUT)$/.test(request.method ?? '') || !request.url?.includes('uploads'))
        return false;
      cut--;
      // A part arrives, then the line is dead.
      const id = request.url.split('/').at(-1)?.split('?')[0] as string;
      const first = (await once(request, 'data'))[0] as Buffer;
      own.uploads.set(id, Buffer.concat([own.uploads.get(id) as Buffer, first.subarray(0, 300)]));
      response.destroy();
      return true;
    },
  });
  const repository = openTestRegistry(`${registry.host}/a`, { chunkBytes: 1000 });
  await repository.putBlob(BLOB, DIGEST);
  assert.deepEqual(registry.blobs.get(DIGEST), BLOB);
  assert.equal(count(registry, /^POST/), 1);
  assert.equal(count(registry, /^GET .*uploads/), 3);
  assert.ok(count(registry, /^PATCH/) >= 4);
});

test('an upload whose last answer is lost, and one that the registry forgot', async () => {
  await using lost = await startFakeRegistry({
    fault: onFirst(1, /^PUT .*uploads/, (_, response, own) => {
      own.blobs.set(DIGEST, BLOB);
      response.destroy();
      return true;
    }),
  });
  await openTestRegistry(`${lost.host}/a`).putBlob(BLOB, DIGEST);
  assert.equal(count(lost, /^PUT/), 1);
  await using forgetful = await startFakeRegistry({
    fault: onFirst(1, /^PUT .*uploads/, (_, response, own) => {
      own.uploads.clear();
      response.destroy();
      return true;
    }),
  });
  await openTestRegistry(`${forgetful.host}/a`).putBlob(BLOB, DIGEST);
  assert.equal(count(forgetful, /^POST/), 2);
  assert.deepEqual(forgetful.blobs.get(DIGEST), BLOB);
});

test('an upload that never gets through ends', async () => {
  await using registry = await startFakeRegistry({
    fault: (request, response) => {
      if (request.method !== 'PUT') return false;
      response.destroy();
      return true;
    },
  });
  await assert.rejects(
    openTestRegistry(`${registry.host}/a`).putBlob(BLOB, DIGEST),
    problem('registry-unreachable'),
  );
});

test('uploads follow 307 to another host, without telling it who we are', async () => {
  await using storage = await startFakeRegistry();
  await using registry = await startFakeRegistry({
    basic: 'me:secret',
    fault: (request, response) => {
      if (request.headers.authorization === undefined || !request.url?.includes('uploads')) return false;
      response.writeHead(307, { location: `http://${storage.host}${request.url}` }).end();
      return true;
    },
  });
  using who = signedIn(registry, 'me', 'secret');
  await openTestRegistry(`${registry.host}/a`, { env: who.env }).putBlob(BLOB, DIGEST);
  assert.deepEqual(storage.blobs.get(DIGEST), BLOB);
  assert.ok(storage.authorizations.every((shown) => shown === undefined));
  assert.ok(registry.authorizations.some((shown) => shown !== undefined));
});

test('a token server that redirects takes neither the password nor the refresh token to another host', async () => {
  for (const identity of [false, true]) {
    const bodies: string[] = [];
    await using thief = await startFakeRegistry({
      fault: async (request, response) => {
        bodies.push(await text(request));
        response.setHeader('content-type', 'application/json').end('{"token":"t"}');
        return true;
      },
    });
    await using registry = await startFakeRegistry({
      bearer: { user: 'me:secret' },
      fault: (request, response) => {
        if (request.url?.startsWith('/token') !== true) return false;
        response.writeHead(307, { location: `http://${thief.host}/token` }).end();
        return true;
      },
    });
    const entry = identity
      ? { identitytoken: 'secret' }
      : { auth: Buffer.from('me:secret').toString('base64') };
    using folder = makeTestFolder({
      'config.json': JSON.stringify({ auths: { [registry.host]: entry } }),
    });
    const env = { DOCKER_CONFIG: folder.path, HOME: folder.path };
    await assert.rejects(openTestRegistry(`${registry.host}/a`, { env }).find('1'));
    assert.ok(thief.authorizations.every((shown) => !shown?.startsWith('Basic')));
    assert.ok(bodies.every((body) => !body.includes('secret')));
    assert.equal(thief.seen.length > 0, !identity, 'an anonymous question may go there, a secret may not');
  }
});

test('an upload that began over TLS does not go on over plain HTTP', async () => {
  await using plain = await startFakeRegistry();
  await using secure = await startFakeRegistry({
    tls: { key, cert },
    fault: (request, response) => {
      if (request.method !== 'POST') return false;
      response.writeHead(202, { location: `http://${plain.host}/v2/a/blobs/uploads/1` }).end();
      return true;
    },
  });
  await assert.rejects(
    openTestRegistry(`${secure.host}/a`, { ca: cert }).putBlob(BLOB, DIGEST),
    problem('registry-failed', /redirects/),
  );
  assert.deepEqual(plain.seen, []);
});

test('redirects that never end, or lead from TLS to plain HTTP, are refused', async () => {
  await using loop = await startFakeRegistry({
    fault: (request, response) => {
      if (!request.url?.includes('manifests')) return false;
      response.writeHead(307, { location: request.url }).end();
      return true;
    },
  });
  await assert.rejects(openTestRegistry(`${loop.host}/a`).find('1'), problem('registry-failed', /redirects/));
  await using plain = await startFakeRegistry();
  await using secure = await startFakeRegistry({
    tls: { key, cert },
    fault: (request, response) => {
      if (!request.url?.includes('manifests')) return false;
      response.writeHead(302, { location: `http://${plain.host}${request.url}` }).end();
      return true;
    },
  });
  const repository = openTestRegistry(`${secure.host}/a`, { ca: cert });
  await assert.rejects(repository.find('1'), problem('registry-failed', /redirects/));
  assert.deepEqual(plain.seen, []);
});

test('a certificate of our own is trusted when named, and never passed over', async () => {
  await using registry = await startFakeRegistry({ tls: { key, cert } });
  const { content, root } = testImage('a');
  await content.writeTo(openTestRegistry(`${registry.host}/a`, { ca: cert }), root.digest, '1');
  assert.equal(
    (await requireImage(openTestRegistry(`${registry.host}/a`, { ca: cert }), '1')).digest,
    root.digest,
  );
  const before = registry.seen.length;
  await assert.rejects(
    openTestRegistry(`${registry.host}/a`).find('1'),
    problem('registry-tls', /certificate is not trusted/),
  );
  assert.equal(registry.seen.length, before);
});

test('nobody there, no such host, no registry, silence', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  await assert.rejects(
    openTestRegistry(`127.0.0.1:${port}/a`).find('1'),
    problem('registry-unreachable', /nobody listens/),
  );
  await assert.rejects(
    openTestRegistry('nobody.invalid/a').find('1'),
    problem('registry-unreachable', /no such host|looked up/),
  );
  await using other = await startFakeRegistry({
    fault: (_, response) => !refuse(response, 404, 'NOT_FOUND'),
  });
  await assert.rejects(
    openTestRegistry(`${other.host}/a`).find('1'),
    problem('registry-failed', /\/v2\/ answers 404/),
  );
});

test('a token is fetched, shown, kept, and fetched anew when it has expired', async () => {
  await using registry = await startFakeRegistry({ bearer: { user: 'me:secret' } });
  using who = signedIn(registry, 'me', 'secret');
  const { content, root } = testImage('a');
  const repository = openTestRegistry(`${registry.host}/shop/orders`, { env: who.env });
  await content.writeTo(repository, root.digest, '1');
  assert.equal(count(registry, /token\?.*pull%2Cpush/), 1);
  registry.tokens.clear();
  assert.equal((await requireImage(repository, '1')).digest, root.digest);
  // The registry says how long a token is good; this one is not, and is not even shown.
  await using brief = await startFakeRegistry({ bearer: { user: null, expiresIn: 1 } });
  const anonymous = openTestRegistry(`${brief.host}/a`);
  await anonymous.find('1');
  await anonymous.find('1');
  assert.equal(count(brief, /token/), 2);
});

test('a token that is refused for good, a wrong password, nobody signed in: one sentence each', async () => {
  const expired: FakeRegistryOptions = {
    bearer: { user: null },
    fault: (request, _, own) => {
      if (request.url?.startsWith('/v2/') === true) own.tokens.clear();
      return false;
    },
  };
  await using never = await startFakeRegistry(expired);
  await assert.rejects(
    openTestRegistry(`${never.host}/a`).find('1'),
    problem('registry-unauthorized', /may have expired/),
  );
  await using registry = await startFakeRegistry({ bearer: { user: 'me:secret' } });
  using wrong = signedIn(registry, 'me', 'wrong-password');
  const refused = openTestRegistry(`${registry.host}/a`, { env: wrong.env }).find('1');
  await assert.rejects(refused, problem('registry-unauthorized', /refuses the user name or the password/));
  await refused.catch((error: Error) => assert.ok(!error.message.includes('wrong-password')));
  await assert.rejects(
    openTestRegistry(`${registry.host}/a`).find('1'),
    problem('registry-unauthorized', /wants to know who asks.*docker login/),
  );
  await using basic = await startFakeRegistry({ basic: 'me:secret' });
  await assert.rejects(openTestRegistry(`${basic.host}/a`).find('1'), problem('registry-unauthorized'));
  using right = signedIn(basic, 'me', 'secret');
  assert.equal(await openTestRegistry(`${basic.host}/a`, { env: right.env }).find('1'), null);
});

test('a password goes to no token server that is not safe', async () => {
  await using thief = await startFakeRegistry();
  for (const realm of [
    `http://${thief.host}/token`,
    'file:///etc/passwd',
    'https://a:b@example.com/',
    'nonsense',
    '',
  ]) {
    await using registry = await startFakeRegistry({
      tls: { key, cert },
      fault: (_, response) => {
        response.setHeader('www-authenticate', `Bearer realm="${realm}"`);
        return !refuse(response, 401, 'UNAUTHORIZED');
      },
    });
    using who = signedIn(registry, 'me', 'secret');
    const repository = openTestRegistry(`${registry.host}/a`, { env: who.env, ca: cert });
    await assert.rejects(repository.find('1'), problem('registry-unauthorized', /not safe/), realm);
  }
  assert.deepEqual(thief.seen, []);
});

test('what the registry forbids is said', async () => {
  await using registry = await startFakeRegistry({
    fault: (request, response) => request.method === 'POST' && !refuse(response, 403, 'DENIED'),
  });
  await assert.rejects(
    openTestRegistry(`${registry.host}/a`).putBlob(BLOB, DIGEST),
    problem('registry-denied', /forbids it \(denied\)/),
  );
});

test('whatever a registry sends that is not what was asked for is refused', async () => {
  const { content, root } = testImage('a');
  await using registry = await startFakeRegistry();
  const open = () => openTestRegistry(`${registry.host}/a`);
  await content.writeTo(open(), root.digest, '1');
  const kept = registry.manifests.get(`a:${root.digest}`) as { bytes: Buffer; type: string };

  registry.manifests.set(`a:${root.digest}`, {
    ...kept,
    bytes: Buffer.concat([kept.bytes, Buffer.from(' ')]),
  });
  await assert.rejects(open().find(root.digest), problem('bad-image', /something else than sha256/));
  registry.manifests.set('a:1', { ...kept, bytes: Buffer.from('<html>') });
  await assert.rejects(open().find('1'), problem('bad-image', /not JSON/));
  registry.manifests.set('a:1', { ...kept, bytes: Buffer.alloc(limits.manifestBytes + 1) });
  await assert.rejects(open().find('1'), problem('bad-image', /more than 4194304 bytes/));
  const v1 = '{"schemaVersion":1,"mediaType":"application/vnd.docker.distribution.manifest.v1+prettyjws"}';
  registry.manifests.set('a:1', { ...kept, bytes: Buffer.from(v1) });
  await assert.rejects(open().find('1'), problem('bad-image', /neither an image manifest nor an index/));

  registry.blobs.set(DIGEST, Buffer.from(BLOB).fill(0, 0, 1));
  registry.blobs.get(DIGEST)?.fill(1, 10, 20);
  await assert.rejects(open().blob(blob), problem('bad-image', /does not match its digest/));
  registry.blobs.set(DIGEST, BLOB.subarray(1));
  await assert.rejects(open().blob(blob), problem('bad-image', /4999 bytes instead of 5000/));
  registry.blobs.set(DIGEST, Buffer.concat([BLOB, BLOB]));
  await assert.rejects(open().blob(blob), problem('bad-image', /more than 5000 bytes/));
  registry.blobs.delete(DIGEST);
  await assert.rejects(open().blob(blob), problem('bad-image', /missing/));
  await assert.rejects(
    open().blob({ ...blob, size: limits.blobBytes + 1 }),
    problem('bad-image', /a part of it has/),
  );
});

test('within one registry blobs are mounted, not sent', async () => {
  await using registry = await startFakeRegistry();
  const { content, root } = testImage('a');
  await content.writeTo(openTestRegistry(`${registry.host}/a`), root.digest, '1');
  const puts = count(registry, /^PUT .*uploads/);
  // This registry keeps blobs for all repositories together; one that does not is asked with HEAD first.
  const to = openTestRegistry(`${registry.host}/b`, { mountFrom: 'a' });
  const hidden = { ...to, hasBlob: async () => false };
  await copyImage(openTestRegistry(`${registry.host}/a`), hidden, { reference: '1', tag: '1' });
  assert.equal(count(registry, /^PUT .*uploads/), puts);
  assert.ok(count(registry, /^POST .*mount=sha256.*from=a/) > 0);
});

test('subjects: the list is kept under a tag only where the registry does not keep it', async () => {
  for (const referrers of [true, false]) {
    await using registry = await startFakeRegistry({ referrers });
    const { content, root } = testImage('a');
    content.attach(root, { a: 1 }, 'application/x-one');
    content.attach(root, { b: 1 }, 'application/x-two');
    const repository = openTestRegistry(`${registry.host}/a`);
    await content.writeTo(repository, root.digest, '1');
    await content.writeTo(repository, root.digest, '1');
    const found = await repository.referrers(root.digest);
    assert.deepEqual(found.map(({ artifactType }) => artifactType).toSorted(), [
      'application/x-one',
      'application/x-two',
    ]);
    assert.equal(registry.manifests.has(`a:${root.digest.replace(':', '-')}`), !referrers);
  }
});

test('a proxy of the environment is used, and passed by where NO_PROXY says so', async () => {
  await using registry = await startFakeRegistry();
  const asked: string[] = [];
  // Plain HTTP is asked of a proxy with the whole address in the request line (RFC 9112 §3.2.2).
  const proxy = createHttpServer((request, response) => {
    const url = new URL(request.url ?? '');
    asked.push(url.host);
    void fetch(url).then(async (answer) => {
      response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const http_proxy = `http://127.0.0.1:${(proxy.address() as { port: number }).port}`;
  const find = (env: Record<string, string>) =>
    openTestRegistry(`${registry.host}/a`, { env, plainHttp: true }).find('1');
  assert.equal(await find({ http_proxy }), null);
  assert.deepEqual(new Set(asked), new Set([registry.host]));
  const before = asked.length;
  assert.equal(await find({ http_proxy, no_proxy: '127.0.0.1' }), null);
  assert.equal(asked.length, before);
  proxy.closeAllConnections();
  proxy.close();
});
