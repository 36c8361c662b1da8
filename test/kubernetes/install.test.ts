/** `mayfly cluster install` and `mayfly cluster status` against a real Kubernetes API server. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { part } from '../../scripts/parts/part.ts';
import type { KubeObject } from '../../src/kubernetes/cluster/objects.ts';
import { mayfly, mayflyJson } from '../support/cli.ts';
import { missingPart } from '../support/parts.ts';
import { ControlPlane } from './support/control-plane.ts';
import { Kubectl } from './support/kubectl.ts';

let plane: ControlPlane | null = null;
let kubectl: Kubectl;
let missing = '';

before(
  async () => {
    const [kube, etcd, client] = [await part('kube'), await part('etcd'), await part('kubectl')];
    for (const found of [kube, etcd, client]) if ('missing' in found) missing = found.missing;
    if ('missing' in kube || 'missing' in etcd || 'missing' in client) return;
    plane = await ControlPlane.start({ kube, etcd });
    kubectl = new Kubectl(client.paths.kubectl, plane.kubeconfig);
  },
  { timeout: 1_200_000 },
);

after(async () => {
  await plane?.[Symbol.asyncDispose]();
});

interface Report {
  readonly objects: readonly { readonly kind: string; readonly name: string; readonly outcome: string }[];
}
interface Status {
  readonly kubernetes: string;
  readonly platform: readonly { readonly name: string; readonly state: string }[];
  readonly functions: readonly object[];
  readonly nodes: object;
  readonly troubles: readonly string[];
}

test(
  'from an empty cluster to an installed platform, and what is changed in it',
  { timeout: 180_000 },
  async (t) => {
    if (plane === null) return void missingPart(t, missing);
    const env = { KUBECONFIG: plane.kubeconfig };
    const outcomes = async (...flags: string[]) => {
      const { objects } = await mayflyJson<Report>(['cluster', 'install', ...flags], { env });
      return Object.fromEntries(objects.map(({ kind, name, outcome }) => [`${kind} ${name}`, outcome]));
    };

    await t.test('status of a cluster without Mayfly says what is missing and fails', async () => {
      const { code, out } = await mayfly(['cluster', 'status', '--json'], { env });
      assert.equal(code, 1);
      const status = JSON.parse(out) as Status;
      assert.ok(status.platform.every(({ state }) => state === 'missing'));
      assert.match(
        status.troubles[0] as string,
        /CustomResourceDefinition functions\.mayfly\.dev.*cluster install/s,
      );
    });

    await t.test('a dry run tells what would be, and nothing changes', async () => {
      const would = Object.values(await outcomes('--dry-run'));
      assert.ok(would.length > 5 && would.every((outcome) => outcome === 'created'));
      const { code } = await kubectl.try(['get', 'namespace', 'mayfly-system']);
      assert.notEqual(code, 0);
    });

    await t.test('install makes everything, and a second time nothing', async () => {
      const first = Object.values(await outcomes());
      assert.ok(
        first.every((outcome) => outcome === 'created'),
        first.join(),
      );
      const again = Object.values(await outcomes());
      assert.ok(
        again.every((outcome) => outcome === 'unchanged'),
        again.join(),
      );
      assert.ok(Object.values(await outcomes('--dry-run')).every((outcome) => outcome === 'unchanged'));
    });

    await t.test('--print gives what install applied', async () => {
      const { out } = await mayfly(['cluster', 'install', '--print'], {});
      const printed = parseAllDocuments(out).map((document) => document.toJS() as KubeObject);
      assert.ok(printed.length > 5);
      const diff = await kubectl.try(['diff', '--server-side', '--field-manager=mayfly-cli', '-f', '-'], {
        apiVersion: 'v1',
        kind: 'List',
        items: printed,
      });
      assert.equal(diff.code, 0, diff.out + diff.err);
    });

    await t.test('options change the operator and nothing else', async () => {
      const after = await outcomes('--image', 'registry.example.com/mayfly:9', '--operators', '3');
      const changed = Object.keys(after).filter((name) => after[name] === 'changed');
      assert.deepEqual(changed, ['Deployment mayfly-operator']);
      const image = await kubectl.run(
        'get',
        'deployment',
        'mayfly-operator',
        '-n',
        'mayfly-system',
        '-o',
        'jsonpath={.spec.replicas} {.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].args}',
      );
      const given = 'registry.example.com/mayfly:9';
      assert.equal(image, `3 ${given} ["operator","--gateway-image=${given}"]`);
    });

    await t.test("somebody else's field is left alone until --force", async () => {
      await kubectl.run('scale', 'deployment/mayfly-operator', '-n', 'mayfly-system', '--replicas=4');
      const { code, err } = await mayfly(['cluster', 'install'], { env });
      assert.equal(code, 1);
      assert.match(err, /refused an object \(Deployment mayfly-operator\)[\s\S]*--force/);
      await outcomes('--force');
      const replicas = await kubectl.run(
        'get',
        'deployment',
        'mayfly-operator',
        '-n',
        'mayfly-system',
        '-o',
        'jsonpath={.spec.replicas}',
      );
      assert.equal(replicas, '2');
    });

    await t.test('status sees functions, differences, and an operator that does not run', async () => {
      await kubectl.apply({
        apiVersion: 'mayfly.dev/v1alpha1',
        kind: 'Function',
        metadata: { name: 'orders', namespace: 'default' },
        spec: { runtime: 'wasmedge', image: `registry.example.com/orders@sha256:${'a'.repeat(64)}` },
      });
      await kubectl.run('delete', 'service', '--all', '-n', 'mayfly-system');
      const { code, out } = await mayfly(['cluster', 'status', '--json'], { env });
      const status = JSON.parse(out) as Status;
      assert.equal(code, 1);
      assert.equal(status.kubernetes, 'v1.30.4');
      assert.deepEqual(status.functions, [
        {
          namespace: 'default',
          name: 'orders',
          runtime: 'wasmedge',
          ready: 'Unknown',
          reason: 'NotSeenYet',
          message: 'No operator has looked at it yet',
          pods: 0,
        },
      ]);
      assert.equal(status.troubles.length, 2, status.troubles.join('\n'));
      const { out: text } = await mayfly(['cluster', 'status'], { env });
      assert.match(text, /^Kubernetes v1\.30\.4 at https:\/\/127\.0\.0\.1/);
      assert.match(text, /orders +wasmedge +Unknown/);
    });

    await t.test('who may not is told so', async () => {
      const { code, err } = await mayfly(
        ['cluster', 'status', '--kubeconfig', (plane as ControlPlane).kubeconfigOf('nobody', 'wrong-token')],
        {},
      );
      assert.equal(code, 1);
      assert.match(err, /The cluster did not answer as asked \(https:.*\n.*Unauthorized/);
    });
  },
);
