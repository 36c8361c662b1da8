/** From none to one pod and back, by the whole operator over a Kubernetes in memory, and by gateways that really report. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import pino from 'pino';
import type { KubeObject } from '../../src/kubernetes/cluster/objects.ts';
import { operate } from '../../src/kubernetes/operator/operate.ts';
import { OperatorMetrics } from '../../src/kubernetes/operator/operator-metrics.ts';
import { DemandTable } from '../../src/kubernetes/zero/demand-table.ts';
import { MemoryCluster } from './support/memory-cluster.ts';
import { VirtualTime } from './support/virtual-time.ts';

const ORDERS: KubeObject = {
  apiVersion: 'mayfly.dev/v1alpha1',
  kind: 'Function',
  metadata: { name: 'orders', namespace: 'shop' },
  spec: {
    runtime: 'wasmedge',
    image: `registry.example.com/shop/orders@sha256:${'0'.repeat(64)}`,
    replicas: 0,
    scaling: { minReplicas: 0, maxReplicas: 10, idleAfter: '60s' },
  },
};

const said = (gateway: string, open: number, answered: number) => ({
  gateway,
  functions: [{ function: 'shop/orders', open, answered }],
});

/** A cluster with one Function and one operator; `pass` lets time go by, with the gateways as they say. */
function start() {
  const time = new VirtualTime();
  const cluster = new MemoryCluster(time, Math.random);
  cluster.create('kubectl', ORDERS);
  const demand = new DemandTable();
  const end = new AbortController();
  const ended = operate(
    {
      cluster: cluster.client(),
      time,
      log: pino({ level: 'silent' }),
      metrics: new OperatorMetrics(),
      lease: { namespace: 'mayfly-system', name: 'mayfly-operator', identity: 'one' },
      demand,
      rego: { check: async () => null, compile: async () => null },
      askPod: async () => null,
      gatewayImage: 'mayfly:test',
    },
    end.signal,
  );
  const replicas = (kind: string): unknown =>
    (cluster.find(kind, 'shop/orders')?.['spec'] as { replicas?: number } | undefined)?.replicas;
  return {
    time,
    cluster,
    demand,
    replicas,
    /** Gateways that report each second. */
    async pass(
      seconds: number,
      ...gateways: readonly (readonly [name: string, open: number, answered: number])[]
    ) {
      for (let second = 0; second < seconds; second++) {
        for (const gateway of gateways) demand.take(said(...gateway), time.now());
        await time.pass(1000);
      }
    },
    async [Symbol.asyncDispose]() {
      end.abort();
      await time.pass(60_000);
      await ended;
    },
  };
}

test('the first request makes a pod within a moment; a minute without one takes them all', async () => {
  await using shop = start();
  await shop.pass(5, ['a', 0, 0], ['b', 0, 0]);
  assert.deepEqual([shop.replicas('Function'), shop.replicas('Deployment')], [0, 0]);
  shop.demand.take(said('a', 1, 0), shop.time.now());
  await shop.time.pass(300);
  assert.deepEqual([shop.replicas('Function'), shop.replicas('Deployment')], [1, 1]);
  await shop.pass(200, ['a', 1, 0], ['b', 0, 0]);
  assert.equal(shop.replicas('Function'), 1, 'one that takes long keeps its pod');
  await shop.pass(59, ['a', 0, 1], ['b', 0, 0]);
  assert.equal(shop.replicas('Function'), 1);
  await shop.pass(3, ['a', 0, 1], ['b', 0, 0]);
  assert.deepEqual([shop.replicas('Function'), shop.replicas('Deployment')], [0, 0]);
  const { writes } = shop.cluster;
  await shop.pass(30, ['a', 0, 1], ['b', 0, 0]);
  assert.equal(shop.cluster.writes, writes, 'a steady state writes nothing');
});

test('pods stay while a gateway is silent, and while no gateway reports', async () => {
  await using shop = start();
  await shop.pass(2, ['a', 1, 0], ['b', 1, 0]);
  await shop.pass(120, ['a', 0, 1]);
  assert.equal(shop.replicas('Function'), 1, 'nobody knows what b does');
  await shop.pass(120);
  assert.equal(shop.replicas('Function'), 1);
  await shop.pass(120, ['a', 0, 1]);
  assert.equal(shop.replicas('Function'), 0, 'b is gone for five minutes');
});

test('an autoscaler between one and many is left alone', async () => {
  await using shop = start();
  await shop.pass(2, ['a', 5, 0]);
  const found = shop.cluster.find('Function', 'shop/orders');
  assert.ok(found);
  const { apiVersion, kind } = found;
  const seven = { apiVersion, kind, metadata: { name: 'orders', namespace: 'shop' }, spec: { replicas: 7 } };
  shop.cluster.apply('hpa', seven, true);
  await shop.pass(100, ['a', 5, 100]);
  assert.deepEqual([shop.replicas('Function'), shop.replicas('Deployment')], [7, 7]);
  const scaler = shop.cluster.find('HorizontalPodAutoscaler', 'shop/orders')?.['spec'] as {
    minReplicas: number;
  };
  assert.equal(scaler.minReplicas, 1, 'an HPA takes no 0');
});
