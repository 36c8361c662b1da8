/** The configuration changes while clients ask without pause: no request is lost, and a bad file changes nothing. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { adminOf } from '../support/admin.ts';
import { answering } from '../support/answering.ts';
import { get, underLoad } from '../support/clients.ts';
import { FREE_PORTS, startTestPlatform } from '../support/platform.ts';

const yaml = (functions: string, more = '') =>
  `${FREE_PORTS}\nsecurity: { rate_limit_enabled: false }\n${more}\nfunctions: ${functions}\n`;

interface Report {
  readonly ok: boolean;
  readonly error: string | null;
  readonly deployed: readonly string[];
  readonly removed: readonly string[];
  readonly needs_restart: readonly string[];
}

async function eventually(what: string, reached: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; !(await reached()); attempt++) {
    if (attempt === 600) assert.fail(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('files change under load', { timeout: 300_000 }, async (t) => {
  const files = { 'a.wasm': await answering('a'), 'b.wasm': await answering('b') };
  await using server = await startTestPlatform(yaml('{ a: { source: a.wasm } }'), files);
  const admin = adminOf(server);
  const agent = new Agent({ keepAlive: false });
  const at = (path: string) => get(agent, server.url + path);
  const write = (text: string) => writeFileSync(join(server.folder, 'mayfly.yaml'), text);
  const reload = () => admin<Report>('POST', 'reload');

  const answers = await underLoad(
    `${server.url}/a`,
    4,
    ({ text }) => assert.match(text, /^a( again)?$/),
    async () => {
      // The file change alone is enough.
      write(yaml('{ a: { source: a.wasm }, b: { source: b.wasm, routes: [{ path: /bee }] } }'));
      await eventually('b is served', async () => (await at('/bee')).text === 'b');

      const bad = yaml('{ a: { source: a.wasm }, b: { source: b.wasm, rutes: [] } }');
      write(bad);
      const refused = await reload();
      assert.equal(refused.ok, false);
      assert.match(refused.error ?? '', /mayfly\.yaml:\d+:\d+: functions\.b\.rutes/);
      assert.equal((await at('/bee')).text, 'b');
      const status = await admin<{ last_reload: Report }>('GET', 'status');
      assert.equal(status.last_reload.ok, false);
      assert.match(readFileSync(server.log, 'utf8'), /functions\.b\.rutes/);

      write(yaml('{ a: { source: a.wasm }, b: { source: missing.wasm } }'));
      assert.match((await reload()).error ?? '', /Cannot deploy "b", step build|missing\.wasm/);
      assert.equal((await at('/bee')).text, 'b');

      writeFileSync(join(server.folder, 'a.wasm'), await answering('a again'));
      write(yaml('{ a: { source: a.wasm } }', 'logging: { level: warn }'));
      await eventually('b is gone', async () => (await at('/bee')).status === 404);
      assert.equal((await at('/a')).text, 'a again');
      assert.deepEqual((await reload()).needs_restart, ['logging']);
    },
  );
  t.diagnostic(`${answers} answers`);
  assert.ok(answers > 100, 'the clients hardly asked');
});

test('limits of the file act after a reload, without a restart', async () => {
  const files = { 'a.wasm': await answering('a') };
  await using server = await startTestPlatform(yaml('{ a: { source: a.wasm } }'), files);
  const admin = adminOf(server);
  const post = async () =>
    (await fetch(`${server.url}/a`, { method: 'POST', body: 'x'.repeat(2000) })).status;
  assert.equal(await post(), 200);
  writeFileSync(
    join(server.folder, 'mayfly.yaml'),
    yaml('{ a: { source: a.wasm } }', 'function: { max_request_body: 1000 }'),
  );
  assert.deepEqual((await admin<Report>('POST', 'reload')).ok, true);
  assert.equal(await post(), 413);
});
