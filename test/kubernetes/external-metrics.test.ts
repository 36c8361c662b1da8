/** The stock HPA controller scales a Function by an External metric, through the Function's scale subresource. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { needPart } from '../support/parts.ts';
import { ControlPlane } from './support/control-plane.ts';
import { eventually, Kubectl } from './support/kubectl.ts';
import { externalMetricsApi, makeCertificates, METRICS_HOST } from './support/metrics-api.ts';
import { startOperator } from './support/operator.ts';

const MANIFESTS = join(import.meta.dirname, '../../deploy/kubernetes');
const GROUP = '/apis/external.metrics.k8s.io/v1beta1';
const METRIC = 'open_requests';
const PER_POD = 10;

const ORDERS = {
  apiVersion: 'mayfly.dev/v1alpha1',
  kind: 'Function',
  metadata: { name: 'orders', namespace: 'default' },
  spec: { runtime: 'wasmedge', image: `registry.example.com/shop/orders@sha256:${'a'.repeat(64)}` },
};

const AUTOSCALER = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'orders', namespace: 'default' },
  spec: {
    scaleTargetRef: { apiVersion: 'mayfly.dev/v1alpha1', kind: 'Function', name: 'orders' },
    minReplicas: 1,
    maxReplicas: 20,
    metrics: [
      {
        type: 'External',
        external: {
          metric: { name: METRIC },
          target: { type: 'AverageValue', averageValue: String(PER_POD) },
        },
      },
    ],
    behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
  },
};

/** What an HPA asks for: one value of one metric. */
async function startMetrics(folder: string, value: () => number) {
  const server = createServer(
    { cert: readFileSync(join(folder, 'tls.crt')), key: readFileSync(join(folder, 'tls.key')) },
    (request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'https://metrics');
      const item = {
        metricName: METRIC,
        metricLabels: {},
        timestamp: new Date().toISOString(),
        value: String(value()),
      };
      const resource = { name: METRIC, namespaced: true, kind: 'ExternalMetricValueList', verbs: ['get'] };
      const answer =
        pathname === GROUP
          ? { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: GROUP.slice(6), resources: [resource] }
          : { kind: 'ExternalMetricValueList', apiVersion: GROUP.slice(6), metadata: {}, items: [item] };
      const isKnown = pathname === GROUP || pathname === `${GROUP}/namespaces/default/${METRIC}`;
      response.writeHead(isKnown ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(isKnown ? answer : {}));
    },
  ).listen(0, 'localhost');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

test('an External metric moves the pods of a Function, up and down', { timeout: 200_000 }, async (t) => {
  const kube = await needPart(t, 'kube');
  const etcd = await needPart(t, 'etcd');
  const client = await needPart(t, 'kubectl');
  if (kube === undefined || etcd === undefined || client === undefined) return;
  await using plane = await ControlPlane.start(
    { kube, etcd },
    { controllers: { 'horizontal-pod-autoscaler-sync-period': '1s' } },
  );
  await plane.startControllers();
  const kubectl = new Kubectl(client.paths.kubectl, plane.kubeconfig);
  await kubectl.run('apply', '--server-side', '-k', MANIFESTS);
  await kubectl.run('wait', '--for=condition=Established', 'crd', '--all');
  const folder = join(plane.folder, 'metrics');
  const ca = makeCertificates(folder, [METRICS_HOST, 'localhost']);
  let requests = 5;
  await using metrics = await startMetrics(folder, () => requests);
  await kubectl.apply(...externalMetricsApi(metrics.port, ca));
  await using operator = await startOperator(plane, kubectl);
  await operator.says('all functions are known');
  await kubectl.apply(ORDERS, AUTOSCALER);

  const pods = (count: number) =>
    eventually(`the Deployment has ${count} pods`, async () => {
      const found = await kubectl.get<{ spec: { replicas?: number } }>('deployment', 'orders');
      return found?.spec.replicas === count;
    });
  await pods(1);
  requests = 75;
  await pods(8);
  requests = 1000;
  await pods(20);
  requests = 15;
  await pods(2);
  const { spec } = (await kubectl.get<{ spec: { replicas: number } }>('function', 'orders')) ?? {};
  assert.equal(spec?.replicas, 2, 'the number is written to the Function, and nowhere else');
});
