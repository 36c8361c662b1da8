import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  blueprint,
  moduleOf,
  openControl,
  plainTools,
  route,
  settle,
  temporaryFolder,
  trafficOf,
  pathSource,
} from '../../test/support/control.ts';
import { MayflyError } from '../model/errors.ts';
import type { PolicySpec } from '../model/snapshot.ts';
import type { DeployOrder } from './plane.ts';

function upload(name: string, text: string, more: Partial<DeployOrder> = {}): DeployOrder {
  return {
    function: name,
    source: { type: 'upload', wasm: moduleOf(text), label: 'upload' },
    settings: null,
    percent: 100,
    actor: 'test',
    ...more,
  };
}

const code = (code: string) => (error: unknown) => error instanceof MayflyError && error.code === code;

test('a deploy is served, and served again after a restart', async () => {
  using folder = temporaryFolder();
  {
    using control = await openControl(folder.path);
    await control.plane.follow(blueprint());
    const outcome = await control.plane.deploy(upload('hello', 'one'));
    assert.equal(outcome.created, true);
    assert.deepEqual(trafficOf(control.plane.snapshot), { hello: { 1: 100 } });
    assert.deepEqual(
      control.plane.snapshot.routes.map(({ path }) => path),
      ['/hello'],
    );
  }
  using control = await openControl(folder.path);
  await control.plane.follow(blueprint());
  const [hello] = control.plane.snapshot.functions;
  assert.equal(hello?.traffic[0]?.revision.id, 'hello-1');
  assert.ok(hello?.traffic[0]?.revision.module instanceof WebAssembly.Module);
});

test('the same code with the same configuration is the same revision', async () => {
  using folder = temporaryFolder();
  using control = await openControl(folder.path);
  await control.plane.follow(blueprint());
  await control.plane.deploy(upload('hello', 'one', { settings: { env: { A: '1', B: '2' } } }));
  await control.plane.deploy(upload('hello', 'two'));
  const again = await control.plane.deploy(upload('hello', 'one', { settings: { env: { B: '2', A: '1' } } }));
  assert.equal(again.created, false);
  assert.equal(again.revision.number, 1);
  assert.deepEqual(trafficOf(control.plane.snapshot), { hello: { 1: 100 } });
});

test('settings stay when only code is deployed; code stays when only settings are', async () => {
  using folder = temporaryFolder();
  using control = await openControl(folder.path);
  await control.plane.follow(blueprint());
  await control.plane.deploy(upload('hello', 'one', { settings: { path: '/a', env: { A: '1' } } }));
  const second = await control.plane.deploy(upload('hello', 'two'));
  assert.deepEqual(second.revision.configuration.env, { A: '1' });
  assert.equal(control.plane.snapshot.routes[0]?.path, '/a');
  const third = await control.plane.deploy({
    ...upload('hello', ''),
    source: null,
    settings: { path: '/b' },
  });
  assert.equal(third.revision.digest, second.revision.digest);
  assert.equal(control.plane.snapshot.routes[0]?.path, '/b');
});

test('promote splits, rollback goes back', async () => {
  using folder = temporaryFolder();
  using control = await openControl(folder.path);
  const { plane } = control;
  await plane.follow(blueprint());
  await plane.deploy(upload('hello', 'one'));
  await plane.deploy(upload('hello', 'two', { percent: 10 }));
  assert.deepEqual(trafficOf(plane.snapshot), { hello: { 1: 90, 2: 10 } });
  await plane.promote('hello', 2, 50, 'test');
  assert.deepEqual(trafficOf(plane.snapshot), { hello: { 1: 50, 2: 50 } });
  await plane.rollback('hello', undefined, 'test');
  assert.deepEqual(trafficOf(plane.snapshot), { hello: { 1: 100 } });
  await plane.promote('hello', 2, 100, 'test');
  await plane.rollback('hello', undefined, 'test');
  assert.deepEqual(trafficOf(plane.snapshot), { hello: { 1: 100 } });
  await assert.rejects(plane.rollback('hello', undefined, 'test'), code('no-such-revision'));
  await assert.rejects(plane.promote('hello', 9, 50, 'test'), code('no-such-revision'));
  await assert.rejects(plane.promote('nobody', 1, 50, 'test'), code('no-such-function'));
  assert.deepEqual(
    control.state.events(3).map(({ action }) => action),
    ['rollback', 'promote', 'rollback'],
  );
});

test('a removed function leaves no artifact, and its numbers are not used again', async () => {
  using folder = temporaryFolder();
  using control = await openControl(folder.path);
  await control.plane.follow(blueprint());
  await control.plane.deploy(upload('hello', 'one'));
  await control.plane.remove('hello', 'test');
  assert.deepEqual(control.plane.snapshot.functions, []);
  assert.deepEqual(readdirSync(join(folder.path, 'artifacts/sha256')), []);
  const back = await control.plane.deploy(upload('hello', 'one'));
  assert.equal(back.revision.number, 2);
});

test('a step that fails names itself and changes nothing', async () => {
  using folder = temporaryFolder();
  const failing = new Set<string>();
  const failWhen = (step: string) => {
    if (failing.has(step)) throw new MayflyError(`the ${step} says no`, { code: `no-${step}`, where: 'x' });
  };
  using control = await openControl(folder.path, {
    ...plainTools,
    validate: (wasm, limits) => (failWhen('validate'), plainTools.validate(wasm, limits)),
    prepare: (wasm, limits) => (failWhen('prepare'), plainTools.prepare(wasm, limits)),
    probe: async () => failWhen('probe'),
  });
  await control.plane.follow(blueprint());
  await control.plane.deploy(upload('hello', 'one'));
  const before = control.plane.snapshot;
  for (const step of ['validate', 'prepare', 'probe']) {
    failing.add(step);
    await assert.rejects(control.plane.deploy(upload('hello', 'two')), (error: MayflyError) => {
      assert.equal(error.code, `no-${step}`);
      assert.match(
        error.message,
        new RegExp(`Cannot deploy "hello", step ${step}: the ${step} says no \\(x\\)`),
      );
      return true;
    });
    failing.delete(step);
  }
  const broken = Uint8Array.from([...moduleOf('x'), 9, 9, 9]);
  await assert.rejects(
    control.plane.deploy({ ...upload('hello', ''), source: { type: 'upload', wasm: broken, label: 'b' } }),
    /step compile/,
  );
  await assert.rejects(
    control.plane.deploy({
      ...upload('hello', ''),
      source: { type: 'upload', wasm: Buffer.from('#!/bin/sh'), label: 'b' },
    }),
    code('not-wasm'),
  );
  assert.equal(control.plane.snapshot, before);
  assert.equal(control.state.revisions('hello').length, 1);
});

test('two functions cannot have one route', async () => {
  using folder = temporaryFolder();
  using control = await openControl(folder.path);
  await control.plane.follow(blueprint());
  await control.plane.deploy(upload('one', 'one', { settings: { path: '/x' } }));
  await assert.rejects(
    control.plane.deploy(upload('two', 'two', { settings: { path: '/x' } })),
    code('route-taken'),
  );
});

test('the file owns its functions: admin code stays until the file changes, settings are refused', async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'shop.wasm');
  writeFileSync(file, moduleOf('file 1'));
  const shop = { name: 'shop', source: pathSource(file), ...settle('shop', {}) };
  using control = await openControl(folder.path);
  const { plane } = control;
  assert.deepEqual((await plane.follow(blueprint([shop]))).deployed, ['shop']);
  assert.deepEqual((await plane.follow(blueprint([shop]))).deployed, []);

  await plane.deploy(upload('shop', 'hot fix'));
  assert.deepEqual(trafficOf(plane.snapshot), { shop: { 2: 100 } });
  await plane.follow(blueprint([shop]));
  assert.deepEqual(trafficOf(plane.snapshot), { shop: { 2: 100 } });
  await assert.rejects(plane.deploy(upload('shop', 'x', { settings: {} })), code('owned-by-file'));
  await assert.rejects(plane.remove('shop', 'test'), code('owned-by-file'));

  writeFileSync(file, moduleOf('file 2'));
  assert.deepEqual((await plane.follow(blueprint([shop]))).deployed, ['shop']);
  assert.deepEqual(trafficOf(plane.snapshot), { shop: { 3: 100 } });
  assert.deepEqual((await plane.follow(blueprint([]))).removed, ['shop']);
  assert.deepEqual(plane.snapshot.functions, []);
});

test('a function deployed by the API comes under the file when the file names it', async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'shop.wasm');
  writeFileSync(file, moduleOf('file'));
  using control = await openControl(folder.path);
  await control.plane.follow(blueprint());
  await control.plane.deploy(upload('shop', 'api', { settings: { path: '/api' } }));
  await control.plane.deploy(upload('other', 'other', { settings: { path: '/shop' } }));
  const slot = control.state.function('shop')?.slot;
  const report = await control.plane.follow(
    blueprint([{ name: 'shop', source: pathSource(file), ...settle('shop', {}) }]),
  );
  assert.equal(control.state.function('shop')?.owner, 'file');
  assert.equal(control.state.function('shop')?.slot, slot);
  assert.deepEqual(
    control.plane.snapshot.routes.map((item) => [item.function, item.path]),
    [['shop', '/shop']],
  );
  assert.match(report.warnings[0] ?? '', /route \/shop of other is not served/);
});

test('a bad file changes nothing', async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'shop.wasm');
  writeFileSync(file, moduleOf('file 1'));
  const shop = { name: 'shop', source: pathSource(file), ...settle('shop', {}) };
  const missing = { name: 'gone', source: pathSource(join(folder.path, 'gone.wasm')), ...settle('gone', {}) };
  using control = await openControl(folder.path);
  await control.plane.follow(blueprint([shop]));
  const before = control.plane.snapshot;
  writeFileSync(file, moduleOf('file 2'));
  await assert.rejects(control.plane.follow(blueprint([shop, missing])), /Cannot deploy "gone", step build/);
  assert.equal(control.plane.snapshot, before);
  assert.equal(control.state.revisions('shop').length, 1);
});

test('a damaged artifact takes only its own function down, and a deploy heals it', async () => {
  using folder = temporaryFolder();
  let digest = '';
  {
    using control = await openControl(folder.path);
    await control.plane.follow(blueprint());
    digest = (await control.plane.deploy(upload('bad', 'bad'))).revision.digest;
    await control.plane.deploy(upload('good', 'good'));
  }
  writeFileSync(join(folder.path, 'artifacts/sha256', digest.slice(7)), 'garbage');
  using control = await openControl(folder.path);
  const report = await control.plane.follow(blueprint());
  assert.match(report.warnings[0] ?? '', /The function bad is not served: .*bytes do not match its digest/);
  assert.deepEqual(
    control.plane.snapshot.functions.map(({ name }) => name),
    ['good'],
  );
  await control.plane.deploy(upload('bad', 'bad'));
  assert.deepEqual(Object.keys(trafficOf(control.plane.snapshot)), ['bad', 'good']);
  assert.deepEqual(control.plane.warnings, []);
});

test('a new foundation keeps the functions', async () => {
  using folder = temporaryFolder();
  using control = await openControl(folder.path);
  await control.plane.follow(blueprint());
  await control.plane.deploy(upload('hello', 'one'));
  const before = control.plane.snapshot;
  await control.plane.refound((foundation) => ({ ...foundation, maxInstances: 7 }));
  assert.equal(control.plane.snapshot.maxInstances, 7);
  assert.equal(control.plane.snapshot.version, before.version + 1);
  assert.deepEqual(trafficOf(control.plane.snapshot), trafficOf(before));
});

test('settings that do not fit the file any more take only their own function down', async () => {
  using folder = temporaryFolder();
  using control = await openControl(folder.path);
  await control.plane.follow(blueprint());
  await control.plane.deploy(upload('strange', 'one', { settings: { path: '/strange' } }));
  await control.plane.deploy(upload('plain', 'one'));
  const stricter = {
    ...blueprint(),
    settle(name: string, settings: unknown) {
      if (name === 'strange') throw new MayflyError('this is not allowed any more');
      return settle(name, settings);
    },
  };
  const report = await control.plane.follow(stricter);
  assert.match(report.warnings[0] ?? '', /strange is not served: this is not allowed any more/);
  assert.deepEqual(Object.keys(trafficOf(control.plane.snapshot)), ['plain']);
  assert.deepEqual(control.plane.routes('strange'), []);
  await control.plane.deploy(upload('plain', 'two'));
});

test('before the first follow there is nothing to refound', async () => {
  using folder = temporaryFolder();
  using control = await openControl(folder.path);
  await control.plane.refound(() => assert.fail('nothing to change'));
  assert.deepEqual(control.published, []);
});

test('the slot of a removed function is given back once the data plane has let go of it', async () => {
  using folder = temporaryFolder();
  const removed: [name: string, functionsLeft: number][] = [];
  using control = await openControl(folder.path, plainTools, ({ name }) =>
    removed.push([name, control.plane.snapshot.functions.length]),
  );
  await control.plane.follow(blueprint());
  await control.plane.deploy(upload('a', 'one'));
  await control.plane.deploy(upload('b', 'one'));
  await control.plane.remove('a', 'test');
  assert.deepEqual(removed, [['a', 1]]);
});

function policySpec(entrypoints: readonly string[]): PolicySpec {
  return {
    id: 'policy',
    digest: entrypoints.join(),
    entrypoints,
    wasm: null,
    javascript: '',
    javascriptRefused: null,
    data: {},
    opaUrl: null,
  };
}

/** A file with a policy of which these rules are compiled; more can be if they are among `existing`. */
function policed(compiled: readonly string[], existing: readonly string[]) {
  const base = blueprint();
  return {
    ...base,
    foundation: { ...base.foundation, policies: [policySpec(compiled)] },
    settle(name: string, settings: unknown) {
      const { rule } = settings as { rule: string };
      const policy = { policy: 'policy', entrypoint: rule, mapping: [] };
      return { ...settle(name, {}), routes: [{ ...route(name, `/${name}`), policy }] };
    },
    async withRules(entrypoints: readonly string[]) {
      const unknown = entrypoints.find((entrypoint) => !existing.includes(entrypoint));
      if (unknown !== undefined) throw new MayflyError(`no rule ${unknown}`, { code: 'no-such-rule' });
      return [policySpec(entrypoints)];
    },
  };
}

test('a function of the API may ask a rule that the file does not; one that does not exist is refused', async () => {
  using folder = temporaryFolder();
  using control = await openControl(folder.path);
  const { plane } = control;
  const file = policed(['shop/allow'], ['shop/allow', 'shop/admin']);
  await plane.follow(file);
  await plane.deploy(upload('a', 'one', { settings: { rule: 'shop/admin' } }));
  assert.deepEqual(plane.snapshot.policies[0]?.entrypoints, ['shop/allow', 'shop/admin']);
  const before = plane.snapshot;
  await assert.rejects(
    plane.deploy(upload('b', 'one', { settings: { rule: 'shop/nothing' } })),
    code('no-such-rule'),
  );
  assert.equal(plane.snapshot, before);

  await plane.follow(file);
  assert.deepEqual(plane.snapshot.policies[0]?.entrypoints, ['shop/allow', 'shop/admin']);
  const report = await plane.follow(policed(['shop/allow'], ['shop/allow']));
  assert.match(report.warnings[0] ?? '', /route \/a of a is denied to all: the policy lacks its rule/);

  const { withRules: _, ...fixed } = file;
  await plane.follow(fixed);
  await assert.rejects(
    plane.deploy(upload('b', 'one', { settings: { rule: 'shop/admin' } })),
    /the policy has no rule data\.shop\.admin/,
  );
});

test('changes that come together are made one after the other, and none is lost', async () => {
  using folder = temporaryFolder();
  using control = await openControl(folder.path);
  const { plane, published } = control;
  await plane.follow(blueprint());
  await Promise.all(Array.from({ length: 20 }, (_, i) => plane.deploy(upload(`f${i % 4}`, `version ${i}`))));
  assert.deepEqual(
    published.map(({ version }) => version),
    Array.from({ length: 21 }, (_, i) => i + 1),
  );
  assert.deepEqual(
    control.state.functions().map(({ name }) => control.state.revisions(name).length),
    [5, 5, 5, 5],
  );
  assert.deepEqual(trafficOf(plane.snapshot), {
    f0: { 5: 100 },
    f1: { 5: 100 },
    f2: { 5: 100 },
    f3: { 5: 100 },
  });
});

test('routes of one path for different methods live side by side', async () => {
  const { conflict } = await import('./desired.ts');
  const get = { ...route('a', '/x'), methods: ['GET'] as const };
  const post = { ...route('b', '/x'), methods: ['POST'] as const };
  assert.equal(conflict(get, [post]), null);
  assert.equal(conflict(get, [{ ...post, methods: null }])?.function, 'b');
});

test('another image with the same code is the same revision, known by the newer name', async () => {
  using folder = temporaryFolder();
  const wasm = moduleOf('one');
  using control = await openControl(folder.path, { pull: () => Promise.resolve(wasm) });
  const image = (digit: string) =>
    ({ type: 'image', reference: `oci://registry.example.com/shop@sha256:${digit.repeat(64)}` }) as const;
  const served = async (main: string, canary: string | null = null) => {
    const tried = canary === null ? null : { source: image(canary), weight: 20, maxP99Ms: null };
    const shop = { name: 'shop', source: image(main), canary: tried, ...settle('shop', {}) };
    await control.plane.follow(blueprint([shop]));
    const [found] = control.plane.snapshot.functions;
    return found?.traffic.map(({ revision, origin }) => `${revision.number} ${origin.slice(0, 8)}`);
  };
  assert.deepEqual(await served('a'), ['1 sha256:a']);
  assert.deepEqual(await served('a', 'b'), ['1 sha256:a']);
  assert.deepEqual(await served('b'), ['1 sha256:b']);
});
