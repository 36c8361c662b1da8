/** Three gateways behind a load balancer: one after the other ends and comes back, one is killed, all get a new file. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { answering } from '../support/answering.ts';
import type { ServerProcess } from '../support/cli.ts';
import { get, underLoad } from '../support/clients.ts';
import { startBalancer } from './support/balancer.ts';
import { eventually, metric, mountConfigMap, ONE_OF_MANY, startGateway } from './support/gateways.ts';

const GATEWAYS = 3;
const CLIENTS = 6;

const yaml = (file: string) => `${ONE_OF_MANY}
security: { rate_limit_enabled: false }
functions: { a: { source: ${file}, routes: [{ path: /a, auth: public }] } }
`;

const urlsOf = (servers: readonly ServerProcess[]) =>
  servers.map(({ overview }) => overview.addresses.gateway);

test('three gateways act as one', { timeout: 240_000 }, async (t) => {
  const files = { 'a.wasm': await answering('a'), 'b.wasm': await answering('b') };
  using mounted = mountConfigMap({ ...files, 'mayfly.yaml': yaml('a.wasm') });
  await using stack = new AsyncDisposableStack();
  const begin = async () => stack.use(await startGateway(mounted));
  const servers = await Promise.all(Array.from({ length: GATEWAYS }, begin));
  const balancer = stack.use(await startBalancer());
  await balancer.follow(urlsOf(servers));

  await t.test('a rolling restart loses no request', async (step) => {
    const answers = await underLoad(
      `${balancer.url}/a`,
      CLIENTS,
      ({ text }) => assert.equal(text, 'a'),
      async () => {
        for (let index = 0; index < GATEWAYS; index++) {
          const old = servers[index] as ServerProcess;
          const oldUrl = old.overview.addresses.gateway;
          old.signal('SIGTERM');
          await eventually('it says that it is not ready, and answers', async () => {
            const ready = await get(new Agent(), `${oldUrl}/ready`);
            return ready.status === 503;
          });
          const response = await fetch(`${oldUrl}/a`);
          assert.deepEqual([response.status, response.headers.get('connection')], [200, 'close']);
          assert.equal(await old.ended, 0);
          assert.match(old.output(), /"aborted":0/);
          servers[index] = await begin();
          await balancer.follow(urlsOf(servers));
        }
      },
    );
    step.diagnostic(`${answers} answers, 0 lost`);
    assert.equal(balancer.cut, 0);
    assert.ok(answers > 100, 'the clients hardly asked');
  });

  await t.test('all serve a new configuration within a second', async (step) => {
    const times: number[] = [];
    await underLoad(
      `${balancer.url}/a`,
      CLIENTS,
      ({ text }) => assert.match(text, /^[ab]$/),
      async () => {
        for (const file of ['b.wasm', 'a.wasm', 'b.wasm']) {
          const begun = performance.now();
          mounted.replace({ ...files, 'mayfly.yaml': yaml(file) });
          const line = `mayfly_config_info{hash="${mounted.hash}"} 1`;
          await Promise.all(
            servers.map((server) =>
              eventually('the new file is served', async () => (await metric(server, line)) !== undefined),
            ),
          );
          times.push(Math.round(performance.now() - begun));
          for (const server of servers) {
            const { text } = await get(new Agent(), `${server.overview.addresses.gateway}/a`);
            assert.equal(`${text}.wasm`, file);
          }
        }
      },
    );
    step.diagnostic(`all ${GATEWAYS} served the new file after ${times.join(', ')} ms`);
    // The file system may send an event late, never not at all: the watch looks every 5 s by itself.
    assert.ok(Math.min(...times) < 1000, `${times.join(', ')} ms`);
  });

  await t.test('a gateway that is killed takes along what was in flight on it, and no more', async (step) => {
    const load = { stopped: false, failed: 0, answers: 0 };
    const clients = Promise.all(
      Array.from({ length: CLIENTS * 2 }, async () => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        while (!load.stopped) {
          const answer = await get(agent, `${balancer.url}/a`).catch(() => null);
          if (answer === null) load.failed++;
          else {
            assert.deepEqual(answer, { status: 200, text: 'b' });
            load.answers++;
          }
        }
        agent.destroy();
      }),
    );
    await eventually('all are busy', () => Promise.resolve(load.answers > 200));
    const victim = servers.pop() as ServerProcess;
    victim.signal('SIGKILL');
    await victim.ended;
    const atDeath = load.answers;
    await eventually('the others go on', () => Promise.resolve(load.answers > atDeath + 500));
    load.stopped = true;
    await clients;
    step.diagnostic(`${load.failed} failed of ${load.answers}, ${balancer.cut} were in flight there`);
    assert.equal(load.failed, balancer.cut);
    assert.ok(load.failed <= CLIENTS * 2);
  });
});
