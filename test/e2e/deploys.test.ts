/** Deploys while requests come in: nothing is lost, nothing fails. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { FREE_PORTS, startTestPlatform, type TestPlatform } from '../support/platform.ts';

const CHANGES = 200;

function admin({ platform, folder }: TestPlatform) {
  const token = readFileSync(join(folder, '.mayfly/admin-token'), 'utf8').trim();
  return async (method: string, path: string, body?: Uint8Array | object) => {
    const wasm = body instanceof Uint8Array;
    const response = await fetch(platform.addresses.admin + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': wasm ? 'application/wasm' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: (wasm ? body : JSON.stringify(body)) as BodyInit }),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    assert.ok(response.ok, `${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  };
}

/** The same module with another digest: a custom section at its end. */
function variant(module: Uint8Array, number: number): Uint8Array {
  const name = Buffer.from(`v${number}`);
  return Buffer.concat([module, Buffer.from([0, name.length + 1, name.length]), name]);
}

test(`${CHANGES} deploys and rollbacks under load lose and fail no request`, async () => {
  await using server = await startTestPlatform(`${FREE_PORTS}
security: { rate_limit_enabled: false }
`);
  const call = admin(server);
  const module = readFileSync(join(server.folder, 'hostile.wasm'));
  await call('PUT', '/v1/functions/app', variant(module, 0));

  let stop = false;
  let answered = 0;
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const client = async () => {
    while (!stop) {
      const [status, text] = await new Promise<[number, string]>((resolve, reject) => {
        get(`${server.url}/app/c`, { agent }, (response) => {
          let body = '';
          response.on('data', (chunk: Buffer) => (body += chunk.toString()));
          response.on('end', () => resolve([response.statusCode ?? 0, body]));
        }).on('error', reject);
      });
      // `/app/c`: the letter after the first slash is an a, which the guest answers with 0000.
      assert.deepEqual([status, text], [200, '0000']);
      answered++;
    }
  };
  const clients = Array.from({ length: 8 }, client);
  for (let change = 1; change <= CHANGES; change++) {
    if (change % 2 === 1) await call('PUT', '/v1/functions/app', variant(module, change));
    else await call('POST', '/v1/functions/app/rollback', {});
  }
  stop = true;
  await Promise.all(clients);
  agent.destroy();
  assert.ok(answered > CHANGES, `${answered} requests were answered meanwhile`);
});

test('a restart serves what was deployed; promote splits the traffic', async () => {
  await using server = await startTestPlatform(`${FREE_PORTS}
security: { rate_limit_enabled: false }
`);
  const call = admin(server);
  const module = readFileSync(join(server.folder, 'hostile.wasm'));
  await call('PUT', '/v1/functions/app', variant(module, 1));
  await call('PUT', '/v1/functions/app?percent=50', variant(module, 2));
  const { traffic } = await call('GET', '/v1/functions/app');
  assert.deepEqual(traffic, [
    { revision: 1, weight: 50 },
    { revision: 2, weight: 50 },
  ]);
  assert.equal((await fetch(`${server.url}/app`)).status, 200);
});
