/** A Function's pods on twelve nodes that only pretend to run them (KWOK): what the operator says while they come and go. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Condition } from '../../src/kubernetes/resources/status.ts';
import { startProcess } from '../support/cli.ts';
import { needPart } from '../support/parts.ts';
import { ControlPlane } from './support/control-plane.ts';
import { eventually, Kubectl } from './support/kubectl.ts';

const NODES = 12;
const PODS = 500;
const FEWER = 50;
const MANIFESTS = join(import.meta.dirname, '../../deploy/kubernetes');

interface Status {
  readonly replicas?: number;
  readonly readyReplicas?: number;
  readonly conditions?: readonly Condition[];
}

test('500 pods on 12 nodes, then 50 with another image, then none', { timeout: 280_000 }, async (t) => {
  const [kube, etcd, client] = [
    await needPart(t, 'kube'),
    await needPart(t, 'etcd'),
    await needPart(t, 'kubectl'),
  ];
  const kwok = await needPart(t, 'kwok');
  if (kube === undefined || etcd === undefined || client === undefined || kwok === undefined) return;
  await using plane = await ControlPlane.start({ kube, etcd });
  await plane.startControllers();
  await plane.startScheduler();
  plane.startKwok(kwok);
  const kubectl = new Kubectl(client.paths.kubectl, plane.kubeconfig);
  await kubectl.run('apply', '--server-side', '-k', MANIFESTS);
  await kubectl.run('wait', '--for=condition=Established', 'crd/functions.mayfly.dev');
  await kubectl.apply(...Array.from({ length: NODES }, (_, index) => fakeNode(`fake-${index}`)));
  const flags = [
    '--kubeconfig',
    plane.kubeconfig,
    '--host',
    '127.0.0.1',
    '--port',
    '0',
    '--scaler-port',
    '0',
    '--demand-port',
    '0',
  ];
  await using operator = startProcess(['operator', ...flags]);
  await operator.says('all functions are known');

  const status = async () => (await kubectl.get<{ status?: Status }>('function', 'orders'))?.status;
  const says = (type: string, reason: string) =>
    eventually(
      `${type} says ${reason}`,
      async () => (await status())?.conditions?.some((item) => item.type === type && item.reason === reason),
      120_000,
    );

  await kubectl.apply(functionObject('a'));
  await says('Progressing', 'Settled');
  assert.partialDeepStrictEqual(await status(), {
    replicas: PODS,
    readyReplicas: PODS,
    conditions: [{ type: 'Ready', status: 'True', message: `${PODS} of ${PODS} pods answer` }],
  });
  assert.match(await kubectl.run('get', 'functions'), /orders +wasmedge +True +Answering +500 +500 /);

  await kubectl.run('scale', 'function/orders', `--replicas=${FEWER}`);
  await eventually('there are fewer', async () => (await status())?.replicas === FEWER);
  await kubectl.apply(functionObject('b', FEWER));
  await says('Progressing', 'RollingOut');
  assert.equal((await status())?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True');
  await says('Progressing', 'Settled');
  const images = await kubectl.run(
    'get',
    'pods',
    '-o',
    'jsonpath={range .items[*]}{.spec.containers[0].image}{"\\n"}{end}',
  );
  assert.equal(images.split('\n').filter((line) => line.endsWith('b')).length, FEWER);

  await kubectl.run('scale', 'function/orders', '--replicas=0');
  await says('Ready', 'ScaledToZero');
});

function functionObject(digit: string, replicas = PODS) {
  const image = `registry.example.com/shop/orders@sha256:${digit.repeat(64)}`;
  return {
    apiVersion: 'mayfly.dev/v1alpha1',
    kind: 'Function',
    metadata: { name: 'orders' },
    spec: { runtime: 'wasmedge', image, replicas },
  };
}

function fakeNode(name: string) {
  const resources = { cpu: '64', memory: '256Gi', pods: '600' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      annotations: { 'kwok.x-k8s.io/node': 'fake' },
      labels: { 'mayfly.dev/wasmedge': 'true', 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' },
    },
    status: { allocatable: resources, capacity: resources },
  };
}
