/** A data-plane thread dies under load: its clients lose one request each, everybody else none, and it comes back. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { BroadcastChannel } from 'node:worker_threads';
import { clearRow, createSharedState } from '../../src/control/shared-state.ts';
import { createSupervisor } from '../../src/control/supervisor.ts';
import { createToolchain } from '../../src/control/toolchain.ts';
import { EpochClock } from '../../src/runtime/epoch-clock.ts';
import { answering } from '../support/answering.ts';
import { get } from '../support/clients.ts';
import { blueprint, openControl, temporaryFolder } from '../support/control.ts';

const CLIENTS = 16;

const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

for (const how of ['exit', 'out of memory']) {
  test(`a front thread dies (${how}) under load`, { timeout: 120_000 }, async (t) => {
    using folder = temporaryFolder();
    const shared = createSharedState(3);
    const clock = await EpochClock.start(shared.epoch);
    await using stack = new AsyncDisposableStack();
    stack.defer(() => clock.stop());
    using control = await openControl(folder.path, createToolchain({ epoch: shared.epoch }));
    await control.plane.follow(blueprint());
    const source = { type: 'upload', wasm: await answering('here'), label: 'test' } as const;
    const order = { function: 'live', source, settings: null, percent: 100, actor: 'test' };
    await control.plane.deploy(order);

    const lost: { index: number; at: number; reason: string }[] = [];
    const supervisor = createSupervisor({
      entry: new URL(`file://${join(import.meta.dirname, '../fixtures/control/mortal-dataplane.ts')}`),
      fronts: 2,
      lanes: 1,
      shared,
      listen: { host: '127.0.0.1', port: 0 },
      tls: null,
      snapshot: control.plane.snapshot,
      healthCheckIntervalMs: 60_000,
      patienceMs: 30_000,
      resourceLimits: { maxOldGenerationSizeMb: 64 },
      onMessage: () => {},
      onLost: ({ index, row }, reason) => {
        lost.push({ index, at: performance.now(), reason });
        clearRow(shared, row);
      },
    });
    stack.use(supervisor);
    const { port } = await supervisor.start();

    const load = { stopped: false, answers: 0 };
    const client = async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      let losses = 0;
      while (!load.stopped) {
        const answer = await get(agent, `http://127.0.0.1:${port}/live`).catch(() => null);
        if (answer === null) losses++;
        else {
          assert.deepEqual(answer, { status: 200, text: 'here' });
          load.answers++;
        }
      }
      agent.destroy();
      return losses;
    };
    const clients = Promise.all(Array.from({ length: CLIENTS }, client));

    while (load.answers < 20 * CLIENTS) await pause();
    const killer = new BroadcastChannel('die');
    killer.postMessage({ role: 'front', index: 1, how });
    const front = () => supervisor.status().find(({ role, index }) => role === 'front' && index === 1);
    while (lost.length === 0 || front()?.state !== 'ready') {
      await pause();
    }
    const backAfter = performance.now() - (lost[0]?.at ?? 0);
    killer.close();
    load.stopped = true;
    const lostOf = await clients;

    assert.deepEqual(
      lost.map(({ index }) => index),
      [1],
    );
    assert.equal(front()?.restarts, 1);
    assert.ok(
      lostOf.every((count) => count <= 1),
      `requests lost by each client: ${lostOf.join(' ')}`,
    );
    assert.ok(
      lostOf.some((count) => count === 0),
      'everybody lost a request',
    );
    const losses = lostOf.reduce((sum, count) => sum + count, 0);
    t.diagnostic(
      `${load.answers} answers, ${losses} lost, back after ${backAfter.toFixed(0)} ms: ${lost[0]?.reason}`,
    );
    await supervisor.drain(1000);
  });
}
