/** Whole gateways and a real Valkey: with TLS and a password, one that is wrong, and a store that stops and comes back. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { answering } from '../support/answering.ts';
import type { ServerProcess } from '../support/cli.ts';
import { needPart } from '../support/parts.ts';
import { eventually, metric, mountConfigMap, ONE_OF_MANY, startGateway } from './support/gateways.ts';
import { startValkey } from './support/valkey.ts';

const TLS = join(import.meta.dirname, '../fixtures/tls');
const PASSWORD = 'correct-horse-battery-staple';
const BURST = 40;

const yaml = (store: string) => `${ONE_OF_MANY}
rate_limit: { requests_per_second: 0.01, burst_size: ${BURST}, key: [function] }
fleet: { store: "${store}", password: "\${STORE_PASSWORD}", ca_file: ${join(TLS, 'certificate.pem')} }
functions: { a: { source: a.wasm, routes: [{ path: /a, auth: public }] } }
`;

async function membersAre(server: ServerProcess, count: number): Promise<void> {
  await eventually(
    `${count} members`,
    async () => (await metric(server, `mayfly_fleet_members ${count}`)) !== undefined,
  );
}

/** How many of `asked` requests pass, asked in turn. */
async function passed(servers: readonly ServerProcess[], asked: number): Promise<number> {
  let count = 0;
  for (let index = 0; index < asked; index++) {
    const server = servers[index % servers.length] as ServerProcess;
    const { status } = await fetch(`${server.overview.addresses.gateway}/a`);
    assert.ok(status === 200 || status === 429);
    if (status === 200) count++;
  }
  return count;
}

test(
  'two gateways over TLS with a password; the store stops and comes back',
  { timeout: 120_000 },
  async (t) => {
    const part = await needPart(t, 'valkey');
    if (part === undefined) return;
    const tls = { certificate: join(TLS, 'certificate.pem'), key: join(TLS, 'key.pem') };
    await using valkey = await startValkey(part.paths.valkey, { password: PASSWORD, tls });
    using mounted = mountConfigMap({
      'a.wasm': await answering('a'),
      'mayfly.yaml': yaml(`valkeys://localhost:${valkey.port}`),
    });
    await using stack = new AsyncDisposableStack();
    const env = { STORE_PASSWORD: PASSWORD };
    const begin = async () => stack.use(await startGateway(mounted, env));
    const servers = await Promise.all([begin(), begin()]);
    const [first] = servers as [ServerProcess, ServerProcess];
    await Promise.all(servers.map((server) => membersAre(server, 2)));
    const burst = await passed(servers, BURST * 3);
    assert.ok(burst <= BURST, `${burst} passed, more than at one gateway`);
    // Its part at least, whatever the other one used.
    assert.ok(burst >= BURST / 2, `${burst} passed`);

    valkey.freeze();
    const connected = async () => (await metric(first, 'mayfly_fleet_connected 1')) !== undefined;
    await eventually('it notices', async () => !(await connected()));
    await first.says('the store of the fleet is away');
    const later = await passed(servers, BURST);
    assert.ok(later <= BURST - burst, `${burst} passed before and ${later} now: what was used stays used`);
    valkey.thaw();
    await eventually('it is back', connected);

    await valkey.kill();
    await eventually('it is away again', async () => !(await connected()));
    await valkey.start();
    await eventually('it is back again', connected);
    await membersAre(first, 2);
    for (const server of servers) assert.ok(!server.output().includes(PASSWORD), 'the password was logged');
  },
);

test(
  'a wrong password: the gateway serves alone and says why, without the password',
  { timeout: 60_000 },
  async (t) => {
    const part = await needPart(t, 'valkey');
    if (part === undefined) return;
    await using valkey = await startValkey(part.paths.valkey, { password: PASSWORD });
    using mounted = mountConfigMap({
      'a.wasm': await answering('a'),
      'mayfly.yaml': yaml(`valkey://127.0.0.1:${valkey.port}`),
    });
    await using server = await startGateway(mounted, { STORE_PASSWORD: 'not-the-password' });
    assert.equal(await passed([server], BURST + 5), BURST);
    assert.match(server.output(), /WRONGPASS/);
    assert.ok(!server.output().includes('not-the-password'));
  },
);
