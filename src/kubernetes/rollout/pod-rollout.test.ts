import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KubeObject } from '../cluster/objects.ts';
import { OWNED } from '../cluster/resources.ts';
import { reconcileFunction } from '../reconcile/reconcile-function.ts';
import type { Condition, FunctionStatus } from '../resources/status.ts';
import { canaryCount, judgePods, stableCount } from './canary-pods.ts';

const image = (letter: string) => `registry.example.com/shop/orders@sha256:${letter.repeat(64)}`;
const ROLLOUT = { steps: [10, 50], interval: '30s' };

/** A cluster of one function: what the operator wants is done, pods come when they are let. */
class World {
  now = Date.parse('2026-11-23T10:00:00Z');
  spec: Record<string, unknown> = {
    runtime: 'wasmedge',
    image: image('a'),
    replicas: 10,
    rollout: ROLLOUT,
  };
  status: FunctionStatus = {};
  readonly objects = new Map<string, KubeObject>();
  readonly events: string[] = [];
  writes = 0;

  get function(): KubeObject {
    const metadata = { name: 'orders', namespace: 'shop', uid: 'f-1', generation: 1 };
    return {
      apiVersion: 'mayfly.dev/v1alpha1',
      kind: 'Function',
      metadata,
      spec: this.spec,
      status: this.status,
    };
  }

  reconcile(): void {
    const objects = Object.fromEntries(
      [...this.objects.values()]
        .filter(({ metadata }) => metadata.name === 'orders')
        .map((object) => [object.kind, object]),
    );
    const canary = this.objects.get('Deployment orders-canary');
    for (const action of reconcileFunction(
      { function: this.function, objects, canary, served: OWNED },
      this.now,
    )) {
      if (action.do === 'event') this.events.push(`${action.event.type} ${action.event.reason}`);
      if (action.do !== 'apply' && action.do !== 'delete' && action.do !== 'status') continue;
      this.writes++;
      if (action.do === 'status') this.status = action.status as FunctionStatus;
      if (action.do === 'status') continue;
      const key = `${action.object.kind} ${action.object.metadata.name}`;
      if (action.do === 'delete') this.objects.delete(key);
      else this.objects.set(key, { ...action.object, status: this.objects.get(key)?.['status'] ?? {} });
    }
  }

  /** Of the image in `bad` none gets ready. */
  runPods(bad = ''): void {
    for (const [key, object] of this.objects) {
      if (object.kind !== 'Deployment') continue;
      const { replicas, template } = object['spec'] as {
        replicas: number;
        template: { spec: { containers: { image: string }[] } };
      };
      const available = template.spec.containers[0]?.image === bad ? 0 : replicas;
      const status = {
        observedGeneration: 1,
        replicas,
        updatedReplicas: replicas,
        readyReplicas: available,
        availableReplicas: available,
      };
      this.objects.set(key, { ...object, status });
    }
  }

  pass(seconds: number, bad = ''): void {
    for (let passed = 0; passed < seconds; passed += 5) {
      this.now += 5000;
      this.runPods(bad);
      this.reconcile();
    }
  }

  /** Pods wanted by image. */
  get pods(): Record<string, number> {
    const pods: Record<string, number> = {};
    for (const object of this.objects.values()) {
      if (object.kind !== 'Deployment') continue;
      const { replicas, template } = object['spec'] as {
        replicas: number;
        template: { spec: { containers: { image: string }[] } };
      };
      const letter = template.spec.containers[0]?.image.at(-1) ?? '';
      pods[letter] = (pods[letter] ?? 0) + replicas;
    }
    return pods;
  }

  get progressing(): string | undefined {
    return this.status.conditions?.find(({ type }: Condition) => type === 'Progressing')?.reason;
  }
}

function started(): World {
  const world = new World();
  world.reconcile();
  world.pass(10);
  assert.deepEqual(world.pods, { a: 10 });
  assert.deepEqual(world.status.rollout, { stable: image('a'), phase: 'Stable' });
  world.spec = { ...world.spec, image: image('b') };
  world.reconcile();
  return world;
}

test('a new image gets its share of the pods beside the old one, behind the same Service', () => {
  const world = started();
  assert.deepEqual(world.pods, { a: 10, b: 1 }, 'the old ones stay until the new ones answer');
  world.pass(10);
  assert.deepEqual(world.pods, { a: 9, b: 1 });
  const canary = world.objects.get('Deployment orders-canary') as KubeObject;
  assert.partialDeepStrictEqual(canary['spec'], {
    minReadySeconds: 30,
    selector: { matchLabels: { 'mayfly.dev/function': 'orders', 'mayfly.dev/track': 'canary' } },
    template: { metadata: { labels: { 'mayfly.dev/function': 'orders', 'mayfly.dev/track': 'canary' } } },
  });
  const service = world.objects.get('Service orders') as KubeObject;
  assert.partialDeepStrictEqual(service['spec'], { selector: { 'mayfly.dev/function': 'orders' } });
  assert.equal(world.status.replicas, 10, 'autoscalers see all of them');
  assert.equal(world.progressing, 'RollingOut');
});

test('a good image goes up by the steps to all pods, and the extra ones go last', () => {
  const world = started();
  const seen: string[] = [];
  for (let look = 0; look < 60; look++) {
    world.pass(5);
    const now = JSON.stringify(world.pods);
    if (seen.at(-1) !== now) seen.push(now);
    assert.ok(Object.values(world.pods).reduce((sum, count) => sum + count, 0) >= 10);
  }
  assert.deepEqual(
    seen.map((text) => JSON.parse(text) as object),
    [{ a: 9, b: 1 }, { a: 9, b: 5 }, { a: 5, b: 5 }, { b: 15 }, { b: 10 }],
  );
  assert.deepEqual(world.status.rollout, { stable: image('b'), phase: 'Stable' });
  assert.deepEqual([...world.objects.keys()], ['Deployment orders', 'Service orders']);
  assert.ok(world.events.includes('Normal RolledOut'));
  const before = world.writes;
  world.pass(600);
  assert.equal(world.writes, before, 'and then nothing is written');
});

test('an image whose pods do not answer goes back, says so, and stays back until the image changes', () => {
  const world = started();
  world.pass(140, image('b'));
  assert.deepEqual(world.pods, { a: 10, b: 1 });
  world.pass(20, image('b'));
  assert.deepEqual(world.pods, { a: 10 });
  assert.partialDeepStrictEqual(world.status.rollout, {
    stable: image('a'),
    candidate: image('b'),
    phase: 'RolledBack',
    weight: 0,
    reason: '0 of 1 pods of the new image answer',
  });
  assert.equal(world.spec['image'], image('b'), 'the spec is left as it was written');
  assert.equal(world.progressing, 'RolledBack');
  assert.ok(world.events.includes('Warning RolledBack'));
  const before = world.writes;
  world.pass(600);
  assert.equal(world.writes, before);
  world.spec = { ...world.spec, image: image('c') };
  world.pass(10);
  assert.deepEqual(world.pods, { a: 9, c: 1 });
});

test('going back by hand, pausing, taking the rollout away', () => {
  const back = started();
  back.pass(10);
  back.spec = { ...back.spec, image: image('a') };
  back.pass(10);
  assert.deepEqual([back.pods, back.status.rollout?.phase], [{ a: 10 }, 'Stable']);

  const paused = started();
  paused.pass(10);
  paused.spec = { ...paused.spec, rollout: { ...ROLLOUT, paused: true } };
  paused.pass(600);
  assert.deepEqual([paused.pods, paused.progressing], [{ a: 9, b: 1 }, 'RolloutPaused']);
  paused.spec = { ...paused.spec, rollout: ROLLOUT };
  paused.pass(600);
  assert.deepEqual(paused.pods, { b: 10 });

  const taken = started();
  taken.pass(10);
  const { rollout: _, ...rest } = taken.spec;
  taken.spec = rest;
  taken.pass(60);
  assert.deepEqual([taken.pods, taken.status.rollout], [{ b: 10 }, undefined]);
});

test('whatever pods and people do, an image has a step of the pods, none or all, and it ends', () => {
  const deed = fc.record({
    do: fc.constantFrom('pass', 'pass', 'pass', 'break', 'image', 'scale', 'pause'),
    choice: fc.nat(20),
  });
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 30 }), (deeds) => {
      const world = started();
      for (const { do: what, choice } of deeds) {
        if (what === 'image') world.spec = { ...world.spec, image: image('abcd'[choice % 4] as string) };
        if (what === 'scale') world.spec = { ...world.spec, replicas: choice };
        if (what === 'pause')
          world.spec = { ...world.spec, rollout: { ...ROLLOUT, paused: choice % 2 === 0 } };
        const before = world.status.rollout;
        if (what === 'break') world.pass(choice * 15, world.spec['image'] as string);
        else world.pass(choice * 5);
        const after = world.status.rollout;
        assert.ok([undefined, 0, 10, 50].includes(after?.weight));
        if (before?.candidate === after?.candidate && before?.phase === 'RolledBack') {
          assert.ok(after?.phase !== 'Running', 'what was rolled back stays back');
        }
      }
      world.spec = { ...world.spec, replicas: 10, rollout: ROLLOUT };
      world.pass(400);
      assert.ok(world.status.rollout?.phase === 'Stable' || world.status.rollout?.phase === 'RolledBack');
      assert.deepEqual(Object.values(world.pods), [10]);
      const before = world.writes;
      world.pass(100);
      assert.equal(world.writes, before);
    }),
    { numRuns: 25 },
  );
});

test('how many pods', () => {
  for (const [pods, weight, canary] of [
    [0, 5, 0],
    [1, 5, 1],
    [10, 5, 1],
    [100, 5, 5],
    [5000, 25, 1250],
  ] as const) {
    assert.equal(canaryCount(pods, weight), canary);
  }
  assert.deepEqual(
    [stableCount(0, 0), stableCount(1, 1), stableCount(10, 0), stableCount(10, 4)],
    [0, 1, 10, 6],
  );
});

test('what the pods of a new image come to', () => {
  const plan = { steps: [10, 50], intervalMs: 30_000, minRequests: 1, maxErrorRate: 0.01, maxP99Ms: null };
  const judge = (available: number, at: number, more: object = {}, wanted = 2) => {
    const pods = { wanted, available, stuck: null, unavailableSince: null, ...more };
    return judgePods(plan, { step: 0, window: 1, since: 0 }, pods, at).do;
  };
  assert.equal(judge(2, 29_999), 'wait');
  assert.equal(judge(2, 30_000), 'step');
  assert.equal(judge(1, 149_999), 'wait');
  assert.equal(judge(1, 150_001), 'roll-back');
  assert.equal(judge(1, 150_001, { unavailableSince: 100_000 }), 'wait');
  assert.equal(
    judge(0, 1000, { stuck: 'ReplicaSet "orders-canary-5" has timed out progressing.' }),
    'roll-back',
  );
  assert.equal(judge(0, 999_999, {}, 0), 'wait');
});
