import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { MayflyError } from '../../model/errors.ts';
import { podAccess } from './access.ts';
import { findAccess } from './kubeconfig.ts';

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-kubeconfig-'));
});
after(() => rmSync(folder, { recursive: true }));

function access(user: object, cluster: object = {}, context?: string) {
  const file = join(folder, 'config');
  const content = {
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: 'https://api.example.com:6443/', ...cluster } }],
    users: [{ name: 'u', user }],
  };
  writeFileSync(file, JSON.stringify(content));
  return findAccess({ env: { KUBECONFIG: file }, context });
}

test('a token, of the file or of another file', async () => {
  writeFileSync(join(folder, 'token'), 'from-file\n');
  assert.equal(await access({ token: 'plain' }).authorization(), 'Bearer plain');
  assert.equal(await access({ tokenFile: 'token' }).authorization(), 'Bearer from-file');
  assert.equal(await access({}).authorization(), null);
});

test('certificates, in the file or beside it', () => {
  writeFileSync(join(folder, 'ca.pem'), 'authority');
  const data = Buffer.from('certificate').toString('base64');
  const { server, tls } = access(
    { 'client-certificate-data': data, 'client-key-data': data },
    { 'certificate-authority': 'ca.pem', 'tls-server-name': 'api' },
  );
  assert.equal(server, 'https://api.example.com:6443');
  assert.partialDeepStrictEqual(tls, { ca: 'authority', servername: 'api', rejectUnauthorized: true });
  assert.equal(String((tls as { cert?: Buffer }).cert), 'certificate');
});

test('a program that gives tokens is asked once for as long as they last', async () => {
  const program = join(folder, 'give');
  const until = new Date(Date.now() + 3_600_000).toISOString();
  const answer = JSON.stringify({ status: { token: 'given', expirationTimestamp: until } });
  writeFileSync(program, `#!/bin/sh\necho asked >> ${folder}/asked\necho '${answer}'\n`);
  chmodSync(program, 0o755);
  const { authorization } = access({
    exec: { apiVersion: 'client.authentication.k8s.io/v1', command: './give' },
  });
  assert.equal(await authorization(), 'Bearer given');
  rmSync(program);
  assert.equal(await authorization(), 'Bearer given');
});

test('a program that fails does not show what it printed', async () => {
  const program = join(folder, 'fail');
  writeFileSync(program, '#!/bin/sh\necho very-secret\nexit 1\n');
  chmodSync(program, 0o755);
  const { authorization } = access({
    exec: { apiVersion: 'v1', command: './fail', installHint: 'Sign in.' },
  });
  await assert.rejects(
    authorization(),
    (error) =>
      error instanceof MayflyError && !/very-secret/.test(error.message) && /Sign in/.test(error.message),
  );
});

test('what is wrong with a kubeconfig is said', () => {
  const file = join(folder, 'bad');
  for (const [text, message] of [
    ['{', /not YAML/],
    ['contexts: 3', /contexts/],
    ['current-context: nowhere', /no context "nowhere"/],
  ] as const) {
    writeFileSync(file, text);
    assert.throws(() => findAccess({ env: {}, file }), message);
  }
  assert.throws(() => findAccess({ env: {}, file: join(folder, 'none') }), /no such file/);
  assert.throws(() => access({}, {}, 'elsewhere'), /no context "elsewhere"/);
});

test('in a pod, what Kubernetes puts there', async () => {
  const account = join(folder, 'account');
  mkdirSync(account);
  writeFileSync(join(account, 'ca.crt'), 'authority');
  writeFileSync(join(account, 'token'), 'bound');
  const found = podAccess({ KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }, account);
  assert.equal(found?.server, 'https://[fd00::1]:443');
  assert.equal(await found?.authorization(), 'Bearer bound');
  assert.equal(podAccess({}), null);
});
