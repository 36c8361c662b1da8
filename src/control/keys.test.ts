import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { temporaryFolder } from '../../test/support/control.ts';
import { MayflyError } from '../model/errors.ts';
import { parseKeySet } from './key-set.ts';
import { followKeys, type KeySourceOptions } from './keys.ts';

const rsa = (kid: string) => ({ kty: 'RSA', kid, n: 'AQAB', e: 'AQAB', alg: 'RS256', use: 'sig' });
const set = (...kids: string[]) => JSON.stringify({ keys: kids.map(rsa) });

type KeyAnswer = (headers: IncomingHttpHeaders, response: ServerResponse) => void;

function serveOneKey(_: IncomingHttpHeaders, response: ServerResponse): void {
  response.end(set('a'));
}

/** A server of key sets whose answers a test decides. */
async function keyServer() {
  let answer: KeyAnswer = serveOneKey;
  const requests: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    requests.push(request.headers);
    answer(request.headers, response);
  });
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    requests,
    answerWith(next: KeyAnswer) {
      answer = next;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => {
        server.close(done);
      });
    },
  };
}

function follow(location: KeySourceOptions['location'], time = { now: 0 }) {
  const changes: string[][] = [];
  const problems: string[] = [];
  const source = followKeys({
    location,
    clock: { now: () => time.now },
    onChange: ({ keys }) => void changes.push(keys.map((key) => String(key['kid']))),
    onProblem: (error) => void problems.push(error.message),
  });
  return { source, changes, problems };
}

test('a key set from an address: validators are sent back, 304 changes nothing', async () => {
  await using server = await keyServer();
  server.answerWith((headers, response) => {
    if (headers['if-none-match'] === '"v1"') response.writeHead(304).end();
    else response.writeHead(200, { etag: '"v1"' }).end(set('a'));
  });
  const { source, changes, problems } = follow({ url: server.url, refreshMs: 60_000 });
  using _ = source;
  await source.refresh();
  await source.refresh();
  assert.deepEqual(changes, [['a']]);
  assert.deepEqual(
    server.requests.map((headers) => headers['if-none-match']),
    [undefined, '"v1"'],
  );
  assert.deepEqual(problems, []);
});

test('an answer that cannot be used keeps the set that works', async () => {
  await using server = await keyServer();
  const { source, changes, problems } = follow({ url: server.url, refreshMs: 60_000 });
  using _ = source;
  await source.refresh();
  const bad: [string, KeyAnswer][] = [
    ['the server answered 500', (_, response) => response.writeHead(500).end(set('evil'))],
    ['it is not JSON', (_, response) => response.end('<html>')],
    ['it has no list "keys"', (_, response) => response.end('{"keys":{}}')],
    ['it has no public RSA, EC or OKP key', (_, response) => response.end('{"keys":[]}')],
    ['it has more than 1048576 bytes', (_, response) => response.end(' '.repeat(1024 * 1024 + 1))],
    ['other side closed', (_, response) => response.destroy()],
  ];
  for (const [reason, answer] of bad) {
    server.answerWith(answer);
    await source.refresh();
    assert.ok(problems.at(-1)?.includes(reason), `${problems.at(-1)} should say: ${reason}`);
    assert.deepEqual(source.keys?.keys, [rsa('a')]);
  }
  server.answerWith((_, response) => response.end(set('b')));
  await source.refresh();
  assert.deepEqual(changes, [['a'], ['b']]);
});

test('an unknown key is looked for at once, but not more often than the cooldown allows', async () => {
  await using server = await keyServer();
  const time = { now: 0 };
  const { source, changes } = follow({ url: server.url, refreshMs: 60_000 }, time);
  using _ = source;
  await source.refresh();
  server.answerWith((_, response) => response.end(set('a', 'b')));
  source.unknownKey('b');
  time.now = 9999;
  source.unknownKey('b');
  assert.equal(server.requests.length, 1);
  time.now = 10_000;
  source.unknownKey('a');
  assert.equal(server.requests.length, 1);
  source.unknownKey('b');
  source.unknownKey('made-up');
  await source.refresh();
  assert.equal(server.requests.length, 2);
  assert.deepEqual(changes, [['a'], ['a', 'b']]);
});

test('while there is no set, the address is asked again soon', async () => {
  await using server = await keyServer();
  server.answerWith((_, response) => response.writeHead(503).end());
  const arrived = Promise.withResolvers<void>();
  using source = followKeys({
    location: { url: server.url, refreshMs: 20 },
    clock: { now: () => 0 },
    onChange: () => arrived.resolve(),
    onProblem: () => server.answerWith((_, response) => response.end(set('a'))),
  });
  await source.refresh();
  assert.equal(source.keys, null);
  const alive = setInterval(() => {}, 1000);
  await arrived.promise;
  clearInterval(alive);
  assert.equal(server.requests.length, 2);
});

test('a key set from a file', async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'jwks.json');
  const { source, changes, problems } = follow({ file });
  using _ = source;
  await source.refresh();
  assert.match(problems[0] ?? '', /Cannot read the key set: ENOENT/);
  writeFileSync(file, set('a'));
  await source.refresh();
  writeFileSync(file, '{');
  await source.refresh();
  assert.deepEqual(changes, [['a']]);
  assert.equal(problems.length, 2);
});

test('secrets in a key set go nowhere: symmetric keys are left out, private parts cut off', () => {
  const keys = [
    { kty: 'oct', k: 'c2VjcmV0', kid: 'o' },
    { ...rsa('r'), d: 'private', p: 'private' },
    { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'private' },
    { kty: 'OKP', crv: 'Ed25519', x: 'x', use: 'enc' },
    { kty: 'RSA', n: 1, e: 2 },
    null,
    'key',
  ];
  const parsed = parseKeySet(JSON.stringify({ keys }), 'here');
  assert.deepEqual(parsed.keys, [rsa('r'), { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }]);
});

test('any text is a key set or a MayflyError', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.string(),
        fc.json().map((text) => `{"keys":[${text}]}`),
      ),
      (text) => {
        try {
          assert.ok(parseKeySet(text, 'here').keys.length > 0);
        } catch (error) {
          assert.ok(error instanceof MayflyError);
        }
      },
    ),
    { numRuns: 2000 },
  );
});
