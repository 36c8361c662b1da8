/** Functions as pods: what `mayfly build --target wasmedge` makes, in containers, asked over the pod network. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { needPart } from '../support/parts.ts';
import { buildPod } from './support/build-pod.ts';
import { importPod } from './support/images.ts';
import type { Handler, PodNode } from './support/node.ts';
import { startNode } from './support/start-node.ts';

const MEBIBYTE = 2 ** 20;
const LIMIT = 64 * MEBIBYTE;
const KILLED = 137;
const ORDER = { method: 'POST', body: '{"sku":"mug-7","quantity":12}' };
const FIXTURES = 'test/fixtures/pods';

const images = {
  flashSale: 'mayfly.test/flash-sale:1',
  compiled: 'mayfly.test/flash-sale-compiled:1',
  small: 'mayfly.test/greedy-small:1',
  large: 'mayfly.test/greedy-large:1',
};

async function importAll(node: PodNode, wasmedge: string): Promise<void> {
  await importPod(node, images.flashSale, await buildPod('examples/flash-sale', {}));
  await importPod(node, images.compiled, await buildPod('examples/flash-sale', { wasmedge }));
  await importPod(node, images.small, await buildPod(`${FIXTURES}/greedy/memory-40.yaml`, {}));
  await importPod(node, images.large, await buildPod(`${FIXTURES}/greedy/memory-256.yaml`, {}));
}

test('functions as pods', { timeout: 600_000 }, async (t) => {
  const wasmedge = await needPart(t, 'wasmedge');
  if (wasmedge === undefined) return;
  await using node = await startNode(t);
  if (node === undefined) return;
  await importAll(node, wasmedge.paths.wasmedge);
  for (const handler of ['wasmedge', 'wasmedge-shim'] as const) await checks(t, node, handler);
});

async function checks(t: TestContext, node: PodNode, handler: Handler): Promise<void> {
  for (const image of [images.flashSale, images.compiled])
    await t.test(`${handler}: ${image} is alive, ready, and prices an order`, async () => {
      await using pod = await node.startPod({ handler, image, memoryBytes: LIMIT });
      assert.equal((await pod.firstAnswer('/health')).status, 200);
      assert.equal((await pod.ask('/ready')).status, 200);
      const priced = await pod.ask('/api/function', ORDER);
      assert.equal(priced.status, 200);
      assert.equal((JSON.parse(priced.body) as { total: number }).total, 9451);
      assert.equal((await pod.ask('/nothing')).status, 404);
    });

  await t.test(`${handler}: PORT says where it listens`, async () => {
    await using pod = await node.startPod({ handler, image: images.flashSale, env: { PORT: '9000' } });
    assert.equal((await pod.firstAnswer('/health', { port: 9000 })).status, 200);
    await assert.rejects(pod.ask('/health'), /ECONNREFUSED/);
  });

  await t.test(`${handler}: LOG_LEVEL says how much it tells`, async () => {
    const told = async (level: string) => {
      await using pod = await node.startPod({ handler, image: images.small, env: { LOG_LEVEL: level } });
      await pod.firstAnswer('/');
      return pod.logs().map((line) => (JSON.parse(line) as { msg: string }).msg);
    };
    assert.deepEqual(await told('info'), ['listening']);
    assert.deepEqual(await told('error'), []);
  });

  await t.test(`${handler}: a container that is killed is replaced, at the same address`, async () => {
    await using pod = await node.startPod({ handler, image: images.flashSale });
    await pod.firstAnswer('/health');
    await pod.signal('SIGKILL');
    assert.equal((await pod.ended()).exitCode, KILLED);
    await pod.startContainer();
    assert.equal((await pod.firstAnswer('/ready')).status, 200);
  });

  await t.test(
    `${handler}: a function that takes all its memory gets a 500, and the pod lives on`,
    async () => {
      await using pod = await node.startPod({ handler, image: images.small, memoryBytes: LIMIT });
      await pod.firstAnswer('/');
      const before = await pod.pid();
      for (let time = 0; time < 3; time += 1) {
        assert.equal((await pod.ask('/memory')).status, 500);
        assert.equal((await pod.ask('/')).body, 'hello\n');
      }
      assert.equal(await pod.pid(), before);
    },
  );

  await t.test(
    `${handler}: a memory_limit above the container's: the container is killed and replaced`,
    async () => {
      await using pod = await node.startPod({ handler, image: images.large, memoryBytes: LIMIT });
      await pod.firstAnswer('/');
      await assert.rejects(pod.ask('/memory'));
      assert.equal((await pod.ended()).exitCode, KILLED);
      await pod.startContainer();
      assert.equal((await pod.firstAnswer('/')).body, 'hello\n');
    },
  );
}
