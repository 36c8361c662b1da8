import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeTestFolder } from '../../../../test/support/folder.ts';
import { MayflyError } from '../../../model/errors.ts';
import { credentialsIn, findCredentials, parseAuthFile } from './credentials.ts';

const auth = (user: string, password: string) => Buffer.from(`${user}:${password}`).toString('base64');
const basic = (username: string, password: string) => ({ type: 'basic', username, password });
const SECRET = 'hunter2-and-more';

function inFile(config: unknown, registry: string, repository = 'shop/orders') {
  return credentialsIn(
    parseAuthFile(JSON.stringify(config), 'config.json'),
    registry,
    repository,
    'config.json',
  );
}

test('entries by host, by URL as Docker once wrote them, and by namespace as podman does', () => {
  const auths = {
    'r.example.com': { auth: auth('a', 'x:y') },
    'https://old.example.com/v1/': { auth: auth('b', 'p') },
    'https://index.docker.io/v1/': { auth: auth('hub', 'p') },
    'p.example.com': { auth: auth('c', 'p') },
    'p.example.com/shop': { auth: auth('d', 'p') },
    'p.example.com/shop/orders': { auth: auth('e', 'p') },
    'plain.example.com': { username: 'f', password: 'p' },
    'id.example.com': { auth: auth('00000000', ''), identitytoken: 'refresh' },
    'reg.example.com': { registrytoken: 'access' },
    'empty.example.com': {},
  };
  assert.deepEqual(inFile({ auths }, 'r.example.com'), basic('a', 'x:y'));
  assert.deepEqual(inFile({ auths }, 'old.example.com'), basic('b', 'p'));
  assert.deepEqual(inFile({ auths }, 'docker.io'), basic('hub', 'p'));
  assert.deepEqual(inFile({ auths }, 'p.example.com'), basic('e', 'p'));
  assert.deepEqual(inFile({ auths }, 'p.example.com', 'shop/other'), basic('d', 'p'));
  assert.deepEqual(inFile({ auths }, 'p.example.com', 'else'), basic('c', 'p'));
  assert.deepEqual(inFile({ auths }, 'plain.example.com'), basic('f', 'p'));
  assert.deepEqual(inFile({ auths }, 'id.example.com'), { type: 'identity', token: 'refresh' });
  assert.deepEqual(inFile({ auths }, 'reg.example.com'), { type: 'bearer', token: 'access' });
  for (const unknown of [
    'empty.example.com',
    'example.com',
    'r.example.com.evil.org',
    'r.example.com:5000',
  ]) {
    assert.equal(inFile({ auths }, unknown), null, unknown);
  }
});

test('a file that cannot be used says so, and none of its secrets', async () => {
  const broken = [
    `{"auths":{"r":{"auth":"${SECRET}"`,
    `["${SECRET}"]`,
    `{"auths":{"r":"${SECRET}"}}`,
    `{"auths":{"r.example.com":{"auth":"${Buffer.from(SECRET).toString('base64')}"}}}`,
  ];
  for (const text of broken) {
    using folder = makeTestFolder({ 'config.json': text });
    await assert.rejects(
      findCredentials('r.example.com', 'a', { DOCKER_CONFIG: folder.path, HOME: folder.path }),
      (error) =>
        error instanceof MayflyError &&
        error.code === 'registry-credentials' &&
        !error.message.includes(SECRET) &&
        error.message.includes('config.json'),
    );
  }
});

test('Docker first, then podman; REGISTRY_AUTH_FILE alone', async () => {
  const one = (user: string) => JSON.stringify({ auths: { 'r.example.com': { auth: auth(user, 'p') } } });
  using folder = makeTestFolder({
    '.docker/config.json': JSON.stringify({ auths: { 'other.example.com': { auth: auth('x', 'y') } } }),
    '.config/containers/auth.json': one('home'),
    'run/containers/auth.json': one('run'),
    'named.json': one('named'),
    'docker/config.json': one('docker'),
  });
  const env = { HOME: folder.path };
  const find = (more: object) => findCredentials('r.example.com', 'a', { ...env, ...more });
  assert.deepEqual(await find({}), basic('home', 'p'));
  assert.deepEqual(await find({ XDG_RUNTIME_DIR: join(folder.path, 'run') }), basic('run', 'p'));
  assert.deepEqual(await find({ DOCKER_CONFIG: join(folder.path, 'docker') }), basic('docker', 'p'));
  assert.deepEqual(await find({ REGISTRY_AUTH_FILE: join(folder.path, 'named.json') }), basic('named', 'p'));
  assert.equal(await findCredentials('none.example.com', 'a', env), null);
});

/** A folder with a credential helper in it, and the environment to find it. */
function withHelper(script: string, config: object) {
  const folder = makeTestFolder({
    'config.json': JSON.stringify(config),
    'docker-credential-test': `#!/bin/sh\n${script}\n`,
  });
  chmodSync(join(folder.path, 'docker-credential-test'), 0o755);
  const env = { DOCKER_CONFIG: folder.path, HOME: folder.path, PATH: `${folder.path}:/usr/bin:/bin` };
  return { env, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

test('credential helpers are asked about the registry, and their answers read', async () => {
  const script = 'read host; printf \'{"ServerURL":"%s","Username":"%s","Secret":"s"}\' "$host" "$host-$1"';
  const configs = [{ credHelpers: { 'r.example.com': 'test' } }, { credsStore: 'test' }];
  for (const config of configs) {
    using helper = withHelper(script, config);
    assert.deepEqual(
      await findCredentials('r.example.com', 'a', helper.env),
      basic('r.example.com-get', 's'),
    );
  }
  using token = withHelper('printf \'{"Username":"<token>","Secret":"refresh"}\'', { credsStore: 'test' });
  assert.deepEqual(await findCredentials('r.example.com', 'a', token.env), {
    type: 'identity',
    token: 'refresh',
  });
});

test('a helper that knows nothing is passed over; one that fails is named', async () => {
  const none = 'echo "credentials not found in native keychain"; exit 1';
  using fallback = withHelper(none, {
    credsStore: 'test',
    auths: { 'r.example.com': { auth: auth('a', 'b') } },
  });
  assert.deepEqual(await findCredentials('r.example.com', 'a', fallback.env), basic('a', 'b'));
  const cases: [string, object, RegExp][] = [
    ['exit 3', { credsStore: 'test' }, /docker-credential-test.*|ended with 3/],
    ['echo nonsense', { credsStore: 'test' }, /an answer that is not one/],
    ['true', { credsStore: 'missing' }, /is not installed/],
    ['true', { credsStore: '../../bin/evil' }, /no usable name/],
  ];
  for (const [script, config, expected] of cases) {
    using helper = withHelper(script, config);
    await assert.rejects(
      findCredentials('r.example.com', 'a', helper.env),
      (error) =>
        error instanceof MayflyError && error.code === 'registry-credentials' && expected.test(error.message),
      script,
    );
  }
});
