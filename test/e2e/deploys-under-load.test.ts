/** 200 deploys, promotions and rollbacks through the admin API while clients ask without pause: no request is lost or fails. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { createLog } from '../../src/observability/log.ts';
import { startPlatform } from '../../src/platform/platform.ts';
import { adminOf } from '../support/admin.ts';
import { answering } from '../support/answering.ts';
import { get, underLoad } from '../support/clients.ts';
import { FREE_PORTS, startTestPlatform } from '../support/platform.ts';

const CHANGES = 200;
const CLIENTS = 8;

interface Changed {
  readonly traffic: readonly { readonly revision: number; readonly weight: number }[];
}

test(`${CHANGES} changes under load`, { timeout: 600_000 }, async (t) => {
  await using server = await startTestPlatform(`${FREE_PORTS}\nsecurity: { rate_limit_enabled: false }\n`);
  const admin = adminOf(server);
  const url = `${server.url}/live`;
  const versions: string[] = [];
  const deploy = async (percent: number) => {
    const version = `version ${versions.length + 1}`;
    versions.push(version);
    return admin<Changed>(
      'PUT',
      `functions/live?percent=${percent}`,
      await answering(version),
      'application/wasm',
    );
  };
  await deploy(100);

  const seen = new Set<string>();
  const changes = async () => {
    const fresh = new Agent({ keepAlive: false });
    for (let change = 0; change < CHANGES; change++) {
      const newest = versions.length;
      const steps = [
        () => deploy(100),
        () => admin<Changed>('POST', 'functions/live/rollback'),
        () =>
          admin<Changed>(
            'POST',
            'functions/live/promote',
            JSON.stringify({ revision: newest, percent: 100 }),
          ),
        () => deploy(30),
        () => admin<Changed>('POST', 'functions/live/rollback'),
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
  const check = ({ text }: { text: string }) => {
    assert.ok(versions.includes(text), `answered ${JSON.stringify(text)}`);
    seen.add(text);
  };
  const answers = await underLoad(url, CLIENTS, check, changes);
  t.diagnostic(`${answers} answers, ${versions.length} deploys, ${seen.size} versions seen`);
  assert.ok(answers > CHANGES, 'the clients hardly asked');
});

test('what was deployed is served again after a restart, with its traffic', async () => {
  await using server = await startTestPlatform(FREE_PORTS);
  const admin = adminOf(server);
  await admin('PUT', 'functions/live', await answering('one'), 'application/wasm');
  await admin('PUT', 'functions/live', await answering('two'), 'application/wasm');
  await admin<Changed>('POST', 'functions/live/rollback');
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
