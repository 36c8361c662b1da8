import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  blueprint,
  moduleOf,
  openControl,
  pathSource,
  settle,
  temporaryFolder,
  trafficOf,
} from '../../test/support/control.ts';
import { NO_COUNTS, type Counts, type RolloutPlan } from '../rollout/plan.ts';
import type { Blueprint } from './blueprint.ts';
import { createRolloutDriver } from './rollout-driver.ts';
import { assignTracks, NO_TRACKS } from './tracks.ts';

const plan: RolloutPlan = {
  steps: [5, 50],
  intervalMs: 30_000,
  minRequests: 50,
  maxErrorRate: 0.01,
  maxP99Ms: 200,
};

/** A control plane whose time and counters are ours. */
async function open(folder: string) {
  const time = { now: 1_000_000 };
  const clock = { now: () => time.now };
  const control = await openControl(folder, {}, () => {}, clock);
  const seen = new Map<number, Counts>();
  const said: string[] = [];
  const log = {
    info: (_: object, message: string) => void said.push(message),
    warn: (_: object, message: string) => void said.push(message),
  };
  const driver = createRolloutDriver({
    state: control.state,
    plane: control.plane,
    counts: (_, revision) => seen.get(revision) ?? NO_COUNTS,
    clock,
    log,
  });
  return {
    ...control,
    driver,
    said,
    /** So much time passes, and so much is counted. */
    async pass(ms: number, counted: Record<number, Partial<Counts>> = {}) {
      await driver.tick();
      time.now += ms;
      for (const [revision, more] of Object.entries(counted)) {
        const { requests, errors, slow } = seen.get(Number(revision)) ?? NO_COUNTS;
        seen.set(Number(revision), {
          requests: requests + (more.requests ?? 0),
          errors: errors + (more.errors ?? 0),
          slow: slow + (more.slow ?? 0),
        });
      }
      await driver.tick();
    },
    traffic: () => trafficOf(control.plane.snapshot)['hello'],
    rollout: () => control.state.rollouts.of('hello'),
    deploy: (text: string, percent: number | null = null) =>
      control.plane.deploy({
        function: 'hello',
        source: { type: 'upload', wasm: moduleOf(text), label: 'upload' },
        settings: { rollout: plan },
        percent,
        actor: 'test',
      }),
  };
}

const GOOD = { 1: { requests: 950 }, 2: { requests: 60 } };

test('new code goes up by the steps to all requests', async () => {
  using folder = temporaryFolder();
  using control = await open(folder.path);
  await control.plane.follow(blueprint());
  await control.deploy('one');
  assert.deepEqual(control.traffic(), { 1: 100 });
  await control.deploy('two');
  assert.deepEqual(control.traffic(), { 1: 95, 2: 5 });
  await control.pass(29_999, GOOD);
  assert.deepEqual(control.traffic(), { 1: 95, 2: 5 });
  await control.pass(1);
  assert.deepEqual(control.traffic(), { 1: 50, 2: 50 });
  await control.pass(60_000, { 2: { requests: 49 } });
  assert.deepEqual(control.traffic(), { 1: 50, 2: 50 }, 'too few requests');
  assert.equal(control.driver.progress('hello')?.reason, '1 more requests are needed');
  await control.pass(0, { 2: { requests: 1 } });
  assert.deepEqual(control.traffic(), { 2: 100 });
  assert.equal(control.rollout()?.phase, 'done');
  assert.deepEqual(control.said, ['a rollout goes on', 'a new revision has all requests']);
});

test('a worse one goes back at once; it stays in the list, and the reason with it', async () => {
  using folder = temporaryFolder();
  using control = await open(folder.path);
  await control.plane.follow(blueprint());
  await control.deploy('one');
  await control.deploy('two');
  await control.pass(250, { 1: { requests: 190 }, 2: { requests: 10, errors: 6 } });
  assert.deepEqual(control.traffic(), { 1: 100 });
  const { phase, reason, candidate } = control.rollout() ?? {};
  assert.deepEqual([phase, candidate], ['rolled-back', 2]);
  assert.match(reason ?? '', /^6 of 10 requests failed/);
  assert.deepEqual(
    control.state.revisions('hello').map(({ number }) => number),
    [2, 1],
  );
  const [event] = control.state.events(1);
  assert.deepEqual([event?.actor, event?.action], ['rollout', 'rollback']);
  assert.equal(event?.detail['reason'], reason);
  assert.equal(control.driver.rollbacks.get('hello'), 1);
  assert.deepEqual(control.said, ['a new revision was rolled back']);
  await control.pass(600_000, { 1: { requests: 9000 } });
  assert.deepEqual(control.traffic(), { 1: 100 });
});

test('it goes on after a restart in mid-rollout, and what was counted before is counted anew', async () => {
  using folder = temporaryFolder();
  {
    using control = await open(folder.path);
    await control.plane.follow(blueprint());
    await control.deploy('one');
    await control.deploy('two');
    await control.pass(30_000, GOOD);
    assert.deepEqual(control.traffic(), { 1: 50, 2: 50 });
  }
  using control = await open(folder.path);
  await control.plane.follow(blueprint());
  assert.deepEqual(control.traffic(), { 1: 50, 2: 50 });
  assert.equal(control.rollout()?.position.step, 1);
  await control.driver.tick();
  assert.equal(control.rollout()?.reason, 'the server was restarted');
  await control.pass(30_000, { 2: { requests: 60 } });
  assert.deepEqual(control.traffic(), { 2: 100 });
});

test('what a person orders', async () => {
  for (const [order, traffic, phase] of [
    ['pause', { 1: 95, 2: 5 }, 'paused'],
    ['promote', { 2: 100 }, 'done'],
    ['abort', { 1: 100 }, 'aborted'],
  ] as const) {
    using folder = temporaryFolder();
    using control = await open(folder.path);
    const { ordered } = await import('./rollouts.ts');
    const give = (what: 'pause' | 'resume' | 'promote' | 'abort') =>
      control.plane.shift('hello', 'test', (record, rollout) => ordered(rollout, record.name, what, 0));
    await control.plane.follow(blueprint());
    await control.deploy('one');
    await assert.rejects(give(order), /no rollout of "hello" under way/);
    await control.deploy('two');
    await give(order);
    assert.deepEqual(control.traffic(), traffic, order);
    await control.pass(60_000, GOOD);
    assert.deepEqual([control.traffic(), control.rollout()?.phase], [traffic, phase], order);
    if (order !== 'pause') continue;
    await give('resume');
    assert.deepEqual([control.rollout()?.phase, control.rollout()?.position.window], ['running', 2]);
  }
});

test('whoever sets the traffic by hand ends the rollout; other code begins another from the same stable one', async () => {
  using folder = temporaryFolder();
  using control = await open(folder.path);
  await control.plane.follow(blueprint());
  await control.deploy('one');
  await control.deploy('two');
  await control.deploy('two');
  assert.deepEqual(control.traffic(), { 1: 95, 2: 5 }, 'the same again changes nothing');
  await control.plane.promote('hello', 2, 80, 'test');
  assert.equal(control.rollout()?.phase, 'aborted');
  await control.deploy('three');
  assert.deepEqual(control.traffic(), { 2: 95, 3: 5 }, 'the busiest is the stable one');
  await control.deploy('four');
  assert.deepEqual(control.traffic(), { 2: 95, 4: 5 });
  await control.deploy('two');
  assert.deepEqual([control.traffic(), control.rollout()?.phase], [{ 2: 100 }, 'aborted']);
  await control.deploy('five', 30);
  assert.deepEqual([control.traffic(), control.rollout()?.phase], [{ 2: 70, 5: 30 }, 'aborted']);
});

test('a function of the file is rolled out too, and going back in the file ends it', async () => {
  using folder = temporaryFolder();
  using control = await open(folder.path);
  const file = join(folder.path, 'hello.wasm');
  const declared = (): Blueprint =>
    blueprint([{ name: 'hello', source: pathSource(file), ...settle('hello', { rollout: plan }) }]);
  writeFileSync(file, moduleOf('one'));
  await control.plane.follow(declared());
  writeFileSync(file, moduleOf('two'));
  await control.plane.follow(declared());
  assert.deepEqual(control.traffic(), { 1: 95, 2: 5 });
  await control.plane.follow(declared());
  assert.deepEqual(control.traffic(), { 1: 95, 2: 5 });
  writeFileSync(file, moduleOf('one'));
  await control.plane.follow(declared());
  assert.deepEqual([control.traffic(), control.rollout()?.phase], [{ 1: 100 }, 'aborted']);
});

test('what was rolled back is not deployed again by a reload or a restart', async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'hello.wasm');
  const declared = blueprint([
    { name: 'hello', source: pathSource(file), ...settle('hello', { rollout: plan }) },
  ]);
  {
    using control = await open(folder.path);
    writeFileSync(file, moduleOf('one'));
    await control.plane.follow(declared);
    writeFileSync(file, moduleOf('two'));
    await control.plane.follow(declared);
    await control.pass(250, { 1: { requests: 190 }, 2: { requests: 10, errors: 10 } });
    await control.plane.follow(declared);
    assert.deepEqual(control.traffic(), { 1: 100 });
  }
  using control = await open(folder.path);
  await control.plane.follow(declared);
  assert.deepEqual(control.traffic(), { 1: 100 });
});

test('a canary of the file has the share that the file says', async () => {
  using folder = temporaryFolder();
  using control = await open(folder.path);
  const [one, two] = ['one', 'two'].map((text) => {
    const file = join(folder.path, `${text}.wasm`);
    writeFileSync(file, moduleOf(text));
    return pathSource(file);
  });
  assert.ok(one !== undefined && two !== undefined);
  const declared = (main: typeof one, canary: typeof one | null, weight = 0): Blueprint => {
    const other = canary && { source: canary, weight, maxP99Ms: 300 };
    return blueprint([{ name: 'hello', source: main, canary: other, ...settle('hello', null) }]);
  };
  for (const [file, traffic] of [
    [declared(one, two, 5), { 1: 95, 2: 5 }],
    [declared(one, two, 40), { 1: 60, 2: 40 }],
    [declared(one, one, 40), { 1: 100 }],
    [declared(one, two, 40), { 1: 60, 2: 40 }],
    [declared(one, null), { 1: 100 }],
    [declared(one, two, 40), { 1: 60, 2: 40 }],
    [declared(two, null), { 2: 100 }],
  ] as const) {
    await control.plane.follow(file);
    assert.deepEqual(control.traffic(), traffic);
  }
  await control.plane.follow(declared(one, two, 5));
  assert.equal(control.plane.snapshot.functions[0]?.slowMs, 300);
});

test('a revision keeps its track while it has traffic, and a new one takes one that rests', () => {
  let tracks = assignTracks(NO_TRACKS, [1]);
  assert.deepEqual(tracks, [1, null]);
  tracks = assignTracks(tracks, [1, 2]);
  assert.deepEqual(tracks, [1, 2]);
  tracks = assignTracks(tracks, [2]);
  assert.deepEqual(tracks, [null, 2]);
  tracks = assignTracks(tracks, [2, 7]);
  assert.deepEqual(tracks, [7, 2]);
  assert.deepEqual(assignTracks(tracks, [8, 9]).toSorted(), [8, 9]);
});
