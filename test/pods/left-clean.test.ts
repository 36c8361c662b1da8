import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PAUSE_IMAGE } from './support/node.ts';
import { remainsOf, removeOrphans } from './support/remains.ts';
import { nodeParts, startNode } from './support/start-node.ts';

const ENDED_WITHIN_MS = 10_000;

test('a node leaves nothing on the machine', { timeout: 120_000 }, async (t) => {
  const interfaces = Object.keys(networkInterfaces());
  let name = '';
  {
    await using node = await startNode(t);
    if (node === undefined) return;
    name = node.name;
    const pod = await node.startPod({ handler: 'linux', image: PAUSE_IMAGE });
    assert.match(pod.ip, /^10\.213\./);
    assert.notDeepEqual(remainsOf(name), []);
    // The pod is not ended here: the node takes it along.
  }
  assert.deepEqual(remainsOf(name), []);
  assert.deepEqual(Object.keys(networkInterfaces()), interfaces);
});

test(
  'a test run that is killed leaves no process, and the next one tidies up',
  { timeout: 120_000 },
  async (t) => {
    const parts = await nodeParts(t);
    if (parts === undefined) return;
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, 'fixtures/killed.ts'), JSON.stringify(parts)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const [output] = (await once(child.stdout, 'data')) as [Buffer];
    const name = output.toString().trim();
    child.kill('SIGKILL');
    await once(child, 'exit');
    const end = performance.now() + ENDED_WITHIN_MS;
    while (remainsOf(name).some((line) => line.startsWith('process')) && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(
      remainsOf(name).every((path) => path.startsWith('/')),
      remainsOf(name).join('\n'),
    );
    removeOrphans();
    assert.deepEqual(remainsOf(name), []);
  },
);
