/** 200 deploys, promotions and rollbacks through the admin API while clients ask without pause: no request is lost or fails. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import wabtModule from 'wabt';
import { FREE_PORTS, startTestPlatform, type TestPlatform } from '../support/platform.ts';

const CHANGES = 200;
const CLIENTS = 8;

/** A handler that answers every request with this text. */
async function answering(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const wabt = await wabtModule();
  const header = Buffer.alloc(16);
  header[0] = 1;
  header.writeUInt16LE(200, 2);
  header.writeUInt32LE(text.length, 12);
  const frame = [...header, ...Buffer.from(text)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`);
  const module = wabt.parseWat(
    'answer.wat',
    `(module (memory (export "memory") 1) (data (i32.const 16) "${frame.join('')}")
       (func (export "alloc") (param i32) (result i32) i32.const 1024)
       (func (export "handle") (param i32 i32) (result i64) i64.const ${(16n << 32n) | BigInt(frame.length)}))`,
  );
  const bytes = Uint8Array.from(module.toBinary({}).buffer);
  module.destroy();
  return bytes;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Rejects when the connection breaks: a lost request is an error here, never retried. */
function get(agent: Agent, url: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}

function adminOf({ platform, folder }: TestPlatform) {
  const token = readFileSync(join(folder, '.mayfly/admin-token'), 'utf8').trim();
  return async (method: string, path: string, body?: BodyInit, type = 'application/json') => {
    const response = await fetch(`${platform.addresses.admin}/v1/functions/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': type },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as { traffic: { revision: number; weight: number }[] };
  };
}

test(`${CHANGES} changes under load`, { timeout: 600_000 }, async (t) => {
  await using server = await startTestPlatform(`${FREE_PORTS}\nsecurity: { rate_limit_enabled: false }\n`);
  const admin = adminOf(server);
  const url = `${server.url}/live`;
  const versions: string[] = [];
  const deploy = async (percent: number) => {
    const version = `version ${versions.length + 1}`;
    versions.push(version);
    return admin('PUT', `live?percent=${percent}`, await answering(version), 'application/wasm');
  };
  await deploy(100);

  const load = { stopped: false, answers: 0 };
  const seen = new Set<string>();
  const client = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!load.stopped) {
      const { status, text } = await get(agent, url);
      assert.equal(status, 200, text);
      assert.ok(versions.includes(text), `answered ${JSON.stringify(text)}`);
      seen.add(text);
      load.answers++;
    }
    agent.destroy();
  };
  const clients = Promise.all(Array.from({ length: CLIENTS }, client));

  const changes = async () => {
    const fresh = new Agent({ keepAlive: false });
    for (let change = 0; change < CHANGES; change++) {
      const newest = versions.length;
      const steps = [
        () => deploy(100),
        () => admin('POST', 'live/rollback'),
        () => admin('POST', 'live/promote', JSON.stringify({ revision: newest, percent: 100 })),
        () => deploy(30),
        () => admin('POST', 'live/rollback'),
      ];
      const { traffic } = await (steps[change % steps.length] as (typeof steps)[number])();
      // Acknowledged means: every request from now on is answered by it, whatever thread takes it.
      const allowed = traffic.map(({ revision }) => versions[revision - 1]);
      const answers = await Promise.all(Array.from({ length: 4 }, () => get(fresh, url)));
      for (const { text } of answers) {
        assert.ok(allowed.includes(text), `${text} after a change to ${allowed.join(' and ')}`);
      }
    }
  };
  try {
    await Promise.race([changes(), clients]);
  } finally {
    load.stopped = true;
  }
  await clients;
  t.diagnostic(`${load.answers} answers, ${versions.length} deploys, ${seen.size} versions seen`);
  assert.ok(load.answers > CHANGES, 'the clients hardly asked');
});

test('what was deployed is served again after a restart, with its traffic', async () => {
  await using server = await startTestPlatform(FREE_PORTS);
  const admin = adminOf(server);
  await admin('PUT', 'live', await answering('one'), 'application/wasm');
  await admin('PUT', 'live', await answering('two'), 'application/wasm');
  await admin('POST', 'live/rollback');
  const { startPlatform } = await import('../../src/platform.ts');
  const { createLog } = await import('../../src/observability/log.ts');
  await server.platform.stop(1000);
  const log = createLog({ level: 'debug', format: 'json', output: server.log });
  const again = await startPlatform({ path: server.folder, env: {}, log });
  try {
    const agent = new Agent({ keepAlive: false });
    assert.deepEqual(await get(agent, `${again.addresses.gateway}/live`), { status: 200, text: 'one' });
  } finally {
    await again.stop(1000);
  }
});
