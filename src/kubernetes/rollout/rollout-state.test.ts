import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Figures } from '../../rollout/plan.ts';
import type { KubeObject } from '../cluster/objects.ts';
import { planGateway } from '../isolate/plan.ts';
import { reconcileIsolate } from '../reconcile/reconcile-isolate.ts';
import { isIsolate, type IsolateSpec } from '../resources/function.ts';
import { FUNCTION, GATEWAY } from '../resources/kinds.ts';
import { demandAddress } from '../resources/names.ts';
import { parseSpec } from '../resources/parse.ts';
import type { Condition, FunctionStatus } from '../resources/status.ts';
import { type RolloutStatus, sharesOf } from './rollout-state.ts';

const image = (letter: string) => `registry.example.com/shop/orders@sha256:${letter.repeat(64)}`;
const ROLLOUT = { steps: [5, 50], interval: '30s', maxP99: '200ms' };
const seen = (candidate: [number, number], stable: [number, number]): Figures => ({
  candidate: { requests: candidate[0], errors: candidate[1], slow: 0 },
  stable: { requests: stable[0], errors: stable[1], slow: 0 },
});

/** A Function in a gateway whose pods serve what they should at once. */
class World {
  now = Date.parse('2026-11-23T10:00:00Z');
  spec: Record<string, unknown> = {
    runtime: 'isolate',
    gateway: 'front',
    image: image('a'),
    rollout: ROLLOUT,
  };
  generation = 1;
  status: FunctionStatus = {};
  readonly events: string[] = [];

  get function(): KubeObject {
    const metadata = { name: 'orders', namespace: 'shop', uid: 'f-1', generation: this.generation };
    return {
      apiVersion: 'mayfly.dev/v1alpha1',
      kind: 'Function',
      metadata,
      spec: this.spec,
      status: this.status,
    };
  }

  get plan() {
    const gateway = {
      apiVersion: 'mayfly.dev/v1alpha1',
      kind: 'MayflyGateway',
      metadata: { name: 'front', namespace: 'shop' },
      spec: {},
    };
    const parsed = parseSpec(GATEWAY, gateway);
    assert.ok('spec' in parsed);
    return planGateway({
      gateway,
      spec: parsed.spec,
      functions: [this.function],
      demandAddress: demandAddress(),
      policy: () => undefined,
      rateLimit: () => undefined,
      verdict: () => null,
      compiled: () => null,
    });
  }

  /** `without`: configurations with which a pod had one revision only. */
  reconcile(figures: Figures | null = null, current = 2, without: readonly string[] = []): void {
    const parsed = parseSpec(FUNCTION, this.function);
    assert.ok('spec' in parsed && isIsolate(parsed.spec), JSON.stringify(parsed));
    const { functions, hash: configuration } = this.plan;
    const planned = functions.get('orders');
    assert.ok(planned !== undefined);
    const serving = { pods: 2, current, refusing: null };
    const observed = {
      function: this.function,
      gateway: 'front',
      place: { planned, serving, configuration },
      objects: [],
      spec: parsed.spec,
      seen: figures === null ? null : { key: '', last: new Map(), figures, without: new Set(without) },
    };
    for (const action of reconcileIsolate(observed, this.now)) {
      if (action.do === 'event') this.events.push(`${action.event.type} ${action.event.reason}`);
      if (action.do === 'status') this.status = action.status as FunctionStatus;
    }
  }

  deploy(letter: string): void {
    this.spec = { ...this.spec, image: image(letter) };
    this.generation++;
    this.reconcile();
  }

  condition(type: string): string {
    const found = this.status.conditions?.find((item: Condition) => item.type === type);
    return `${found?.status} ${found?.reason}`;
  }
}

function started(): World {
  const world = new World();
  world.reconcile();
  world.reconcile();
  world.deploy('b');
  return world;
}

test('the gateway gets a new image as a canary, and no more of it than its step', () => {
  const world = new World();
  world.reconcile();
  assert.match(world.plan.configuration, /oci:\/\/registry\.example\.com\/shop\/orders@sha256:aaa/);
  world.spec = { ...world.spec, image: image('b') };
  assert.doesNotMatch(world.plan.configuration, /sha256:bbb/, 'nothing before the operator has begun it');
  world.generation++;
  world.reconcile();
  const [line = ''] = /(?<="orders": ).*/.exec(world.plan.configuration) ?? [];
  assert.partialDeepStrictEqual(JSON.parse(line), {
    source: `oci://${image('a')}`,
    canary: { source: `oci://${image('b')}`, weight: 5, max_p99: '200ms' },
  });
});

test('a good image goes up by what the pods count, to all requests', () => {
  const world = started();
  world.reconcile(seen([0, 0], [0, 0]));
  world.now += 30_000;
  world.reconcile(seen([49, 0], [8000, 20]));
  assert.equal(world.status.rollout?.weight, 5, 'too few requests');
  world.reconcile(seen([400, 1], [8000, 20]));
  assert.equal(world.status.rollout?.weight, 50);
  assert.match(world.plan.configuration, /"weight":50/);
  assert.equal(world.condition('Ready'), 'True Answering');
  assert.equal(world.condition('Progressing'), 'True RollingOut');
  world.now += 30_000;
  world.reconcile(seen([400, 1], [400, 2]), 1);
  assert.equal(world.status.rollout?.weight, 50, 'not all pods serve it yet');
  world.reconcile(seen([400, 1], [400, 2]));
  assert.deepEqual(world.status.rollout, { stable: image('b'), phase: 'Stable' });
  assert.doesNotMatch(world.plan.configuration, /canary|sha256:aaa/);
  assert.equal(world.events.at(-1), 'Normal RolledOut');
});

test('an image with the code of the one before has all at once, and not before the pods were given both', () => {
  const nothing = seen([0, 0], [0, 0]);
  const world = new World();
  world.reconcile();
  world.reconcile();
  const alone = world.plan.hash;
  world.deploy('b');
  world.reconcile(nothing, 1, [world.plan.hash]);
  assert.equal(world.status.rollout?.weight, 5, 'not all pods serve it yet');
  world.reconcile(nothing, 2, [alone]);
  assert.equal(world.status.rollout?.weight, 5, 'that was the configuration before');
  world.reconcile(nothing, 2, [world.plan.hash]);
  assert.deepEqual(world.status.rollout, { stable: image('b'), phase: 'Stable' });
  assert.equal(world.events.at(-1), 'Normal RolledOut');
});

test('a worse one goes back at once; the spec stays, and the conditions say so until the image changes', () => {
  const world = started();
  world.now += 1000;
  world.reconcile(seen([20, 9], [400, 1]));
  assert.partialDeepStrictEqual(world.status.rollout, {
    stable: image('a'),
    candidate: image('b'),
    phase: 'RolledBack',
    weight: 0,
  });
  assert.match(world.status.rollout?.reason ?? '', /^9 of 20 requests failed/);
  assert.doesNotMatch(world.plan.configuration, /canary|sha256:bbb/);
  world.reconcile();
  assert.equal(world.condition('Progressing'), 'False RolledBack');
  assert.equal(world.condition('Ready'), 'True Answering');
  assert.equal(world.events.at(-1), 'Warning RolledBack');
  world.now += 3_600_000;
  world.reconcile();
  assert.equal(world.status.rollout?.phase, 'RolledBack');
  world.deploy('c');
  assert.partialDeepStrictEqual(world.status.rollout, { candidate: image('c'), phase: 'Running', weight: 5 });
});

test('a backend that fails for both moves nothing, and the step begins again', () => {
  const world = started();
  world.now += 30_000;
  world.reconcile(seen([300, 90], [6000, 1800]));
  const { phase, weight, window, reason } = world.status.rollout as RolloutStatus;
  assert.deepEqual([phase, weight, window], ['Running', 5, 2]);
  assert.match(reason ?? '', /and the revision before misses the objective as well$/);
});

test('an obstacle on the way does not make the operator forget how far it was', () => {
  const world = started();
  const parsed = parseSpec(FUNCTION, world.function);
  assert.ok('spec' in parsed);
  const place = { reason: 'GatewayMissing', message: 'There is no MayflyGateway front in this namespace.' };
  const [action] = reconcileIsolate(
    {
      function: world.function,
      gateway: 'front',
      place,
      objects: [],
      spec: parsed.spec as IsolateSpec,
      seen: null,
    },
    world.now,
  );
  assert.ok(action?.do === 'status');
  assert.deepEqual((action.status as FunctionStatus).rollout, world.status.rollout);
});

test('who answers', () => {
  const parsed = parseSpec(FUNCTION, new World().function);
  assert.ok('spec' in parsed);
  const { rollout } = parsed.spec;
  const running: RolloutStatus = { stable: 'a', candidate: 'b', phase: 'Running', weight: 25 };
  for (const [wanted, set, status, expected] of [
    ['b', undefined, running, ['b', null]],
    ['a', rollout, undefined, ['a', null]],
    ['a', rollout, running, ['a', null]],
    ['b', rollout, running, ['a', 25]],
    ['b', rollout, { ...running, phase: 'Paused' }, ['a', 25]],
    ['b', rollout, { ...running, phase: 'RolledBack', weight: 0 }, ['a', null]],
    ['c', rollout, running, ['a', null]],
    ['b', rollout, { stable: 'b', phase: 'Stable' }, ['b', null]],
  ] as const) {
    const { stable, candidate } = sharesOf(wanted, set, status);
    assert.deepEqual([stable, candidate?.weight ?? null], expected);
  }
});
