/**
 * Modules as containers of containerd, under both ways to run them: crun with WasmEdge, and our shim. Small modules show
 * what a container gives and takes, without the pod adapter.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Handler } from './support/node.ts';
import type { Pod } from './support/pod.ts';
import { importFixture, startNode } from './support/start-node.ts';

const MEBIBYTE = 2 ** 20;
const TRAPPED = 1;
const KILLED = 137;
const TERMINATED = 143;
const SETTLED_WITHIN_MS = 5000;

interface Way {
  /** What a module that exits with 7 gives. crun 1.21 knows only whether WasmEdge ended well. */
  readonly exitCode7: number;
  /** What a container that ran out of memory is told to have ended by. runwasi's library does not tell containerd. */
  readonly outOfMemory: string;
  /** Whether SIGTERM ends it as the first process of a PID namespace. */
  readonly stopsAsFirst: boolean;
  /**
   * Whether pods that share a PID namespace are tried. On a machine with cgroup v1 runwasi's library looks up the process
   * number that a container has within its pod among the machine's processes: when there is none, it does not start.
   */
  readonly sharesProcesses: boolean;
}

/** Where the two differ. */
const ways: Record<Exclude<Handler, 'linux'>, Way> = {
  wasmedge: { exitCode7: 0, outOfMemory: 'OOMKilled', stopsAsFirst: false, sharesProcesses: true },
  'wasmedge-shim': { exitCode7: 7, outOfMemory: 'Error', stopsAsFirst: true, sharesProcesses: false },
};

test('modules as containers', { timeout: 240_000 }, async (t) => {
  await using node = await startNode(t);
  if (node === undefined) return;
  for (const [name, way] of Object.entries(ways)) {
    const handler = name as Handler;

    await t.test(
      `${name}: arguments and environment reach the module, its output the log, its exit code the status`,
      async () => {
        const image = await importFixture(node, 'tell');
        await using pod = await node.startPod({
          handler,
          image,
          args: ['one', 'two words'],
          env: { LOG_LEVEL: 'debug' },
        });
        const ended = await pod.ended();
        assert.equal(ended.exitCode, way.exitCode7);
        const lines = pod.logs();
        assert.deepEqual(lines.slice(0, 3), ['/app.wasm', 'one', 'two words']);
        assert.ok(lines.includes('PORT=8080'));
        assert.ok(lines.includes('LOG_LEVEL=debug'));
      },
    );

    await t.test(
      `${name}: nobody's process, without capabilities, new privileges or a writable root`,
      async () => {
        const image = await importFixture(node, 'wait');
        await using pod = await node.startPod({ handler, image });
        const status = await settledStatus(pod);
        const field = (key: string) => fieldOf(status, key);
        assert.equal(field('Uid'), '65534');
        assert.equal(field('Gid'), '65534');
        for (const set of ['CapEff', 'CapPrm', 'CapInh', 'CapBnd', 'CapAmb'])
          assert.match(field(set) as string, /^0+$/, set);
        assert.equal(field('NoNewPrivs'), '1');
        assert.equal(field('Seccomp'), '2');
        const root = /^\S+ \S+ \S+ \S+ \/ (\S+)/m.exec(await pod.processFile('mountinfo'))?.[1] ?? '';
        assert.ok(root.split(',').includes('ro'), root);
      },
    );

    await t.test(
      `${name}: a trap ends the container with an error, and a new one starts in its place`,
      async () => {
        const image = await importFixture(node, 'trap');
        await using pod = await node.startPod({ handler, image });
        assert.equal((await pod.ended()).exitCode, TRAPPED);
        await pod.startContainer();
        assert.equal((await pod.ended()).exitCode, TRAPPED);
      },
    );

    await t.test(`${name}: a module that takes more than 64 MiB is killed, alone`, async () => {
      const [hog, wait] = [await importFixture(node, 'hog'), await importFixture(node, 'wait')];
      await using neighbour = await node.startPod({ handler, image: wait, memoryBytes: 64 * MEBIBYTE });
      await using pod = await node.startPod({ handler, image: hog, memoryBytes: 64 * MEBIBYTE });
      assert.deepEqual(await pod.ended(), { exitCode: KILLED, reason: way.outOfMemory });
      assert.ok((await neighbour.processFile('status')).includes('State:'));
      assert.equal(
        await neighbour.groupNumber('memory', 'memory.limit_in_bytes', 'memory.max'),
        64 * MEBIBYTE,
      );
    });

    await t.test(
      `${name}: a module that computes for ever gets its share of a core and no more`,
      async () => {
        const image = await importFixture(node, 'spin');
        await using pod = await node.startPod({ handler, image, cpuMillis: 100 });
        assert.equal(await pod.groupNumber('cpu', 'cpu.cfs_quota_us', 'cpu.max'), 10_000);
        const before = cpuMillis(await pod.processFile('stat'));
        const from = performance.now();
        await new Promise((resolve) => setTimeout(resolve, 1000));
        const used = cpuMillis(await pod.processFile('stat')) - before;
        assert.ok(used <= 0.2 * (performance.now() - from), `${used} ms of CPU`);
      },
    );

    await t.test(`${name}: SIGTERM with and without a PID namespace of its own`, async () => {
      const image = await importFixture(node, 'wait');
      if (way.sharesProcesses) {
        await using shared = await node.startPod({ handler, image, sharedProcesses: true });
        assert.equal((await shared.stop(20)).exitCode, TERMINATED);
      }
      await using own = await node.startPod({ handler, image });
      assert.equal((await own.stop(1)).exitCode, way.stopsAsFirst ? TERMINATED : KILLED);
    });
  }
});

/** CPU time of a process in ms, from /proc/PID/stat: fields 14 and 15, in hundredths of a second. */
function cpuMillis(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/**
 * What the kernel says of the process once it runs the module. Right after the start it may still be a shim's: it takes on
 * its user, gives up its rights and puts on the filter of system calls, one after the other.
 */
async function settledStatus(pod: Pod): Promise<string> {
  const end = performance.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const status = await pod.processFile('status');
    const isSettled = fieldOf(status, 'Seccomp') === '2' && /^0+$/.test(fieldOf(status, 'CapEff') ?? '');
    if (isSettled || performance.now() > end) return status;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function fieldOf(status: string, key: string): string | undefined {
  return new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(status)?.[1]?.split('\t')[0];
}
