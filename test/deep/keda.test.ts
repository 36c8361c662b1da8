/**
 * KEDA's own operator and metrics server, the stock HPA controller, and our operator as KEDA's scaler: the requests that a
 * gateway reports decide how many pods a Function has, from none to many and back. Pods are wished for, and run nowhere.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startDemandReporter } from '../../src/control/demand-reporter.ts';
import { DEMAND_AUDIENCE } from '../../src/kubernetes/zero/reporters.ts';
import { ControlPlane } from '../kubernetes/support/control-plane.ts';
import { eventually, Kubectl } from '../kubernetes/support/kubectl.ts';
import { externalMetricsApi, makeCertificates, METRICS_HOST } from '../kubernetes/support/metrics-api.ts';
import { startOperator } from '../kubernetes/support/operator.ts';
import { makeTestFolder } from '../support/folder.ts';
import { needPart } from '../support/parts.ts';
import { freePorts } from '../support/free-port.ts';

const MANIFESTS = join(import.meta.dirname, '../../deploy/kubernetes');
const PER_POD = 10;

const KEDA = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'keda' } };

const ORDERS = {
  apiVersion: 'mayfly.dev/v1alpha1',
  kind: 'Function',
  metadata: { name: 'orders', namespace: 'default' },
  spec: {
    runtime: 'wasmedge',
    image: `registry.example.com/shop/orders@sha256:${'a'.repeat(64)}`,
    replicas: 0,
    scaling: { minReplicas: 0, maxReplicas: 30, openRequests: PER_POD },
  },
};

function startProgram(
  log: string,
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): AsyncDisposable {
  const file = openSync(log, 'a');
  const child = spawn(program, args, { stdio: ['ignore', file, file], env: { ...process.env, ...env } });
  closeSync(file);
  return {
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

test(
  'KEDA scales a Function by the requests that gateways report: 0, 1, many, 0',
  { timeout: 600_000 },
  async (t) => {
    const kube = await needPart(t, 'kube');
    const etcd = await needPart(t, 'etcd');
    const client = await needPart(t, 'kubectl');
    const keda = await needPart(t, 'keda');
    if (kube === undefined || etcd === undefined || client === undefined || keda === undefined) return;
    await using stack = new AsyncDisposableStack();
    const plane = stack.use(
      await ControlPlane.start(
        { kube, etcd },
        { controllers: { 'horizontal-pod-autoscaler-sync-period': '2s' } },
      ),
    );
    await plane.startControllers();
    const kubectl = new Kubectl(client.paths.kubectl, plane.kubeconfig);
    await kubectl.run('apply', '--server-side', '-f', keda.paths.definitions);
    await kubectl.run('apply', '--server-side', '-k', MANIFESTS);
    await kubectl.run('wait', '--for=condition=Established', 'crd', '--all');

    const ports = await freePorts(7);
    const [scaler, demand, metrics, health, service, adapter, adapterMetrics] = ports as [
      number,
      ...number[],
    ];
    const at = (port: number | undefined) => `127.0.0.1:${port}`;
    const certificates = join(plane.folder, 'keda');
    const ca = makeCertificates(certificates, ['keda-operator', 'localhost', METRICS_HOST]);
    await kubectl.apply(KEDA, ...externalMetricsApi(adapter as number, ca));
    const env = {
      KUBECONFIG: plane.kubeconfig,
      POD_NAMESPACE: 'keda',
      KEDA_CLUSTER_OBJECT_NAMESPACE: 'keda',
      WATCH_NAMESPACE: '',
    };
    const flagsOf = (flags: Readonly<Record<string, string>>) =>
      Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
    stack.use(
      startProgram(
        join(plane.folder, 'keda-operator.log'),
        keda.paths.operator,
        flagsOf({
          'cert-dir': certificates,
          'metrics-bind-address': at(metrics),
          'health-probe-bind-address': at(health),
          'metrics-service-bind-address': at(service),
        }),
        env,
      ),
    );
    const kubeconfigs = ['authentication', 'authorization', 'lister'].map((name) => [
      `${name}-kubeconfig`,
      plane.kubeconfig,
    ]);
    stack.use(
      startProgram(
        join(plane.folder, 'keda-adapter.log'),
        keda.paths.adapter,
        flagsOf({
          'secure-port': String(adapter),
          'cert-dir': certificates,
          'tls-cert-file': join(certificates, 'tls.crt'),
          'tls-private-key-file': join(certificates, 'tls.key'),
          'metrics-service-address': at(service),
          'metrics-service-grpc-authority': 'keda-operator',
          port: String(adapterMetrics),
          ...(Object.fromEntries(kubeconfigs) as Record<string, string>),
        }),
        env,
      ),
    );
    const flags = [
      '--demand-port',
      String(demand),
      '--scaler-port',
      String(scaler),
      '--scaler-address',
      at(scaler),
    ];
    const operator = stack.use(await startOperator(plane, kubectl, { flags }));
    await operator.says('all functions are known');
    await eventually(
      'the metrics API answers',
      async () => (await kubectl.try(['get', '--raw', '/apis/external.metrics.k8s.io/v1beta1'])).code === 0,
      120_000,
    );

    let open = 0;
    let answered = 0;
    using folder = makeTestFolder({
      token: await kubectl.run('create', 'token', 'default', '--audience', DEMAND_AUDIENCE),
    });
    stack.use(
      startDemandReporter({
        url: `http://${at(demand)}/demand`,
        tokenFile: join(folder.path, 'token'),
        read: () => [{ function: 'default/orders', open, answered: answered++ * Math.min(open, 1) }],
        onProblem: (error) => t.diagnostic(error.message),
      }),
    );
    await kubectl.apply(ORDERS);
    const replicas = async (): Promise<number> => {
      const found = await kubectl.get<{ spec: { replicas?: number } }>('deployment', 'orders');
      return found?.spec.replicas ?? -1;
    };
    const until = async (what: string, holds: (count: number) => boolean, withinMs: number) => {
      const begun = performance.now();
      await eventually(what, async () => holds(await replicas()), withinMs);
      t.diagnostic(`${what}: ${Math.round(performance.now() - begun)} ms`);
    };

    await eventually('KEDA took the ScaledObject', async () => {
      const { out } = await kubectl.try(['get', 'scaledobject', 'orders', '-o', 'json']);
      const { conditions = [] } =
        (JSON.parse(out) as { status?: { conditions?: { type: string; status: string }[] } }).status ?? {};
      return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
    });
    assert.equal(await replicas(), 0);
    open = 3;
    await until('the first request: from 0 to 1', (count) => count === 1, 60_000);
    open = 195;
    await until('195 requests: from 1 to 20', (count) => count === 20, 90_000);
    open = 0;
    await until('none any more: from 20 to 0', (count) => count === 0, 240_000);
  },
);
