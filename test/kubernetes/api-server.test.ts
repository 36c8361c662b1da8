/** The operator and its manifests against a real Kubernetes API server with etcd and the stock controllers. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { part } from '../../scripts/parts/part.ts';
import type { KubeObject } from '../../src/kubernetes/cluster/objects.ts';
import { FUNCTION } from '../../src/kubernetes/resources/kinds.ts';
import { parseSpec } from '../../src/kubernetes/resources/parse.ts';
import type { Condition } from '../../src/kubernetes/resources/status.ts';
import { mayfly, type RunningProcess } from '../support/cli.ts';
import { makeTestFolder } from '../support/folder.ts';
import { missingPart, needPart } from '../support/parts.ts';
import { renderChart } from './support/chart.ts';
import { ControlPlane } from './support/control-plane.ts';
import { eventually, Kubectl } from './support/kubectl.ts';
import { startOperator as operatorOf } from './support/operator.ts';

const MANIFESTS = join(import.meta.dirname, '../../deploy/kubernetes');
const image = (digit: string) => `registry.example.com/shop/orders@sha256:${digit.repeat(64)}`;

let plane: ControlPlane | null = null;
let kubectl: Kubectl;
let missing = '';
const operators: RunningProcess[] = [];

before(
  async () => {
    const [kube, etcd, client] = [await part('kube'), await part('etcd'), await part('kubectl')];
    for (const found of [kube, etcd, client]) if ('missing' in found) missing = found.missing;
    if ('missing' in kube || 'missing' in etcd || 'missing' in client) return;
    plane = await ControlPlane.start({ kube, etcd });
    await plane.startControllers();
    kubectl = new Kubectl(client.paths.kubectl, plane.kubeconfig);
    await kubectl.run('apply', '--server-side', '-k', MANIFESTS);
    await kubectl.run('wait', '--for=condition=Established', 'crd/functions.mayfly.dev');
  },
  { timeout: 1_200_000 },
);

after(async () => {
  for (const operator of operators) await operator[Symbol.asyncDispose]();
  await plane?.[Symbol.asyncDispose]();
});

/** A test that needs the control plane. */
function withPlane(name: string, body: (t: TestContext, plane: ControlPlane) => Promise<void>): void {
  test(name, { timeout: 180_000 }, async (t) => {
    if (plane === null) return void missingPart(t, missing);
    await body(t, plane);
  });
}

function functionObject(name: string, spec: object = {}): KubeObject {
  return {
    apiVersion: 'mayfly.dev/v1alpha1',
    kind: 'Function',
    metadata: { name, namespace: 'default' },
    spec: { runtime: 'wasmedge', image: image('a'), ...spec },
  };
}

async function startOperator(): Promise<RunningProcess> {
  const user = `operator-${operators.length}`;
  const flags = ['--log-level', 'debug'];
  const operator = await operatorOf(plane as ControlPlane, kubectl, { user, flags });
  operators.push(operator);
  await operator.says('operator started');
  return operator;
}

async function metric(operator: RunningProcess, pattern: RegExp): Promise<number> {
  const port = /"metrics":(\d+)/.exec(operator.output())?.[1];
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const found = [...text.matchAll(new RegExp(`^${pattern.source} (\\S+)$`, 'gm'))];
  return found.reduce((sum, match) => sum + Number(match.at(-1)), 0);
}

interface Deployment {
  readonly metadata: { readonly generation: number };
  readonly spec: {
    readonly replicas: number;
    readonly template: {
      readonly spec: { readonly containers: readonly { image: string; env: { name: string }[] }[] };
    };
  };
}

function deployed(name: string, holds: (found: Deployment) => boolean): Promise<Deployment> {
  return eventually(`the Deployment of ${name} is as wished`, async () => {
    const found = await kubectl.get<Deployment>('deployment', name);
    return found !== null && holds(found) && found;
  });
}

async function ready(name: string): Promise<Condition | undefined> {
  const object = await kubectl.get<{ status?: { conditions?: Condition[] } }>('function', name);
  return object?.status?.conditions?.find(({ type }) => type === 'Ready');
}

const REFUSED: readonly object[] = [
  { image: 'orders:latest' },
  { cpuLimit: 'much' },
  { cpuLimit: '0.0001' },
  { cpuLimit: '2000' },
  { memoryLimit: '64Mo' },
  { memoryLimit: '1Ki', memoryRequest: '64Ki' },
  { memoryLimit: '5Gi' },
  { memoryLimit: '100000.5' },
  { memoryRequest: '65Mi' },
  { cpuRequest: '200m' },
  { replicas: 5001 },
  { replicas: -1 },
  { scaling: { minReplicas: 9, maxReplicas: 8 } },
  { scaling: { minReplicas: 0 } },
  {
    scaling: {
      minReplicas: 0,
      idleAfter: '60s',
      prometheus: { serverAddress: 'http://x', query: 'up', threshold: 1 },
    },
  },
  { scaling: { prometheus: { serverAddress: 'ftp://x', query: 'up', threshold: 1 } } },
  { scaling: { prometheus: { serverAddress: 'http://x', query: '', threshold: 1 } } },
  { scaling: { prometheus: { serverAddress: 'http://x', query: 'up', threshold: 0 } } },
  { service: { port: 0 } },
  { env: { PORT: '1' } },
  { env: { A: '1' }, secretEnv: { A: { name: 'keys', key: 'k' } } },
  { secretEnv: { A: { name: 'Keys', key: 'k' } } },
  { runtimeClassName: '-' },
  { rollout: { maxErrorRate: '0.01' } },
  { rollout: { maxErrorRate: '200%' } },
  { rollout: { maxErrorRate: '0.001%' } },
  { rollout: { interval: '1ms' } },
  { rollout: { steps: [5, 100] } },
];

withPlane('the API server refuses what the operator would refuse, in the same words', async () => {
  for (const spec of REFUSED) {
    const object = functionObject('refused', spec);
    const { code, err } = await kubectl.try(['apply', '--dry-run=server', '-f', '-'], object);
    const parsed = parseSpec(FUNCTION, object);
    assert.ok('problem' in parsed, JSON.stringify(spec));
    const [, key, sentence] = /^(spec\S*) (.*)$/.exec(parsed.problem) as unknown as [string, string, string];
    assert.equal(code, 1, JSON.stringify(spec));
    // The API server writes entries of mappings in brackets, as we do those of lists.
    const dotted = (text: string) => text.replaceAll(/\[(\w+)\]/g, '.$1');
    const said = dotted(err);
    assert.ok(said.includes(`${dotted(key)}: `) && said.includes(sentence), `${parsed.problem}\n${err}`);
  }
});

withPlane('what the API server fills in is what the operator fills in', async () => {
  for (const spec of [{}, { scaling: {} }, { rollout: {} }]) {
    const object = functionObject('filled', spec);
    const args = ['apply', '--dry-run=server', '-f', '-', '-o', 'json'];
    const { out, err } = await kubectl.try(args, object);
    const filled = parseSpec(FUNCTION, JSON.parse(out || JSON.stringify({ err })) as KubeObject);
    assert.deepEqual(filled, parseSpec(FUNCTION, object));
    const { spec: found } = JSON.parse(out) as { spec: Record<string, unknown> };
    assert.partialDeepStrictEqual(found, { cpuLimit: '100m', memoryLimit: '64Mi', replicas: 1, env: {} });
  }
});

withPlane('names and keys that nobody knows are refused', async () => {
  for (const [object, sentence] of [
    [functionObject('1st'), 'metadata.name is not a function name. Allowed: '],
    [functionObject('typo', { replica: 3 }), 'unknown field "spec.replica"'],
    [functionObject('other', { runtime: 'wasmtime' }), 'supported values: "wasmedge"'],
  ] as const) {
    const { code, err } = await kubectl.try(['apply', '--dry-run=server', '-f', '-'], object);
    assert.equal(code, 1);
    assert.ok(err.includes(sentence), err);
  }
});

withPlane('the API server takes the chart, and what mayfly export kubernetes writes', async (t) => {
  const helm = await needPart(t, 'helm');
  if (helm === undefined) return;
  using folder = makeTestFolder({
    'mayfly.yaml': `functions: { exported: { source: "oci://${image('a')}" } }`,
  });
  await kubectl.run('create', 'namespace', 'chart');
  const texts = [renderChart(helm.paths.helm, 'chart')];
  for (const flags of [[], ['--functions'], ['--runtime', 'isolate']]) {
    const { out } = await mayfly(['export', 'kubernetes', folder.path, '--namespace', 'chart', ...flags]);
    texts.push(out);
  }
  for (const text of texts) {
    const objects = parseAllDocuments(text).map((document) => document.toJS() as object);
    const list = { apiVersion: 'v1', kind: 'List', items: objects };
    const { code, err } = await kubectl.try(['apply', '--dry-run=server', '-f', '-'], list);
    assert.equal(code, 0, err);
  }
});

withPlane('a Function becomes a Deployment, a Service and an autoscaler, and says how it is', async () => {
  await startOperator();
  await kubectl.apply(functionObject('orders', { scaling: { minReplicas: 2 }, env: { GREETING: 'hello' } }));
  await deployed('orders', ({ spec }) => spec.replicas === 2);
  const service = await kubectl.get('service', 'orders');
  assert.partialDeepStrictEqual(service, {
    spec: { type: 'ClusterIP', ports: [{ port: 80, targetPort: 'http' }] },
  });
  const hpa = await kubectl.get('hpa', 'orders');
  assert.partialDeepStrictEqual(hpa, { spec: { scaleTargetRef: { kind: 'Function' }, minReplicas: 2 } });
  // Without a node no pod can answer.
  await eventually('the Function says so', async () => (await ready('orders'))?.reason === 'NoPods');
  await eventually('its pods are counted', async () => {
    const object = await kubectl.get<{ status: { replicas?: number } }>('function', 'orders');
    return object?.status.replicas === 2;
  });
  assert.match(
    await kubectl.run('get', 'functions'),
    /^NAME +RUNTIME +READY +REASON +PODS +WANTED +AGE\norders +wasmedge +False +NoPods +0 +1 /,
  );
  assert.match(await kubectl.run('describe', 'function', 'orders'), /Events:[^]*NoPods[^]*mayfly-operator/);
  assert.match(await kubectl.run('explain', 'function.spec.scaling'), /maxReplicas[^]*Most pods\./);
});

withPlane('the pods of a Function are what the stock controllers make of it', async () => {
  const pods = await eventually('there are two pods', async () => {
    const list = JSON.parse(
      await kubectl.run('get', 'pods', '-l', 'mayfly.dev/function=orders', '-o', 'json'),
    ) as {
      items: KubeObject[];
    };
    return list.items.length === 2 && list.items;
  });
  for (const pod of pods) {
    assert.partialDeepStrictEqual(pod['spec'], {
      runtimeClassName: 'wasmedge',
      nodeSelector: { 'mayfly.dev/wasmedge': 'true' },
      containers: [
        { resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { cpu: '100m', memory: '64Mi' } } },
      ],
    });
  }
});

withPlane('a change of the Function arrives, and what it no longer says is gone', async () => {
  await kubectl.apply(functionObject('orders', { scaling: { minReplicas: 2 }, image: image('b') }));
  const { spec } = await deployed(
    'orders',
    (found) => found.spec.template.spec.containers[0]?.image === image('b'),
  );
  assert.deepEqual(
    spec.template.spec.containers[0]?.env.map(({ name }) => name),
    ['LOG_LEVEL', 'PORT'],
  );
  await kubectl.apply(functionObject('orders', { image: image('b') }));
  await eventually('the autoscaler is gone', async () => (await kubectl.get('hpa', 'orders')) === null);
});

withPlane('kubectl scale works, and what somebody changes in the Deployment is put back', async () => {
  await kubectl.run('scale', 'function/orders', '--replicas=3');
  const { metadata } = await deployed('orders', ({ spec }) => spec.replicas === 3);
  await kubectl.run('scale', 'deployment/orders', '--replicas=7');
  await deployed(
    'orders',
    (found) => found.spec.replicas === 3 && found.metadata.generation >= metadata.generation + 2,
  );
});

withPlane('a request that a gateway reports makes the first pod, and silence takes it', async () => {
  const scaling = { minReplicas: 0, maxReplicas: 3, idleAfter: '5s' };
  await kubectl.apply(functionObject('idle', { replicas: 0, scaling }));
  await deployed('idle', ({ spec }) => spec.replicas === 0);
  const tokenOf = async (...more: string[]) =>
    (await kubectl.run('create', 'token', 'default', ...more)).trim();
  const audience = ['--audience', 'mayfly-demand'];
  const token = await tokenOf(...audience);
  const post = async (operator: RunningProcess, open: number, shown: string): Promise<number> => {
    const port = /"demand":(\d+)/.exec(operator.output())?.[1];
    const functions = [{ function: 'default/idle', open, answered: 0 }];
    const body = JSON.stringify({ gateway: 'test', functions });
    const headers = { authorization: `Bearer ${shown}` };
    return (await fetch(`http://127.0.0.1:${port}/demand`, { method: 'POST', headers, body })).status;
  };
  const report = async (open: number): Promise<void> => {
    for (const operator of operators) assert.equal(await post(operator, open, token), 204);
  };
  const [operator] = operators as [RunningProcess];
  for (const [what, shown, expected] of [
    ['for the API server, not for reports', await tokenOf(), 401],
    ['of another namespace', await tokenOf(...audience, '-n', 'kube-system'), 403],
    ['with another signature', token.replace(/.{20}$/, 'A'.repeat(20)), 401],
    ['made up', 'token', 401],
  ] as const)
    assert.equal(await post(operator, 1, shown), expected, what);
  assert.ok(!operators.some(({ output }) => output().includes(token)));
  await report(1);
  await deployed('idle', ({ spec }) => spec.replicas === 1);
  await eventually('it is idle again', async () => {
    await report(0);
    return (await kubectl.get<Deployment>('deployment', 'idle'))?.spec.replicas === 0;
  });
  await kubectl.run('delete', 'function', 'idle');
});

withPlane('a name that somebody else has is left to them until they give it up', async () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'stock' },
    spec: { ports: [{ port: 99 }], selector: { app: 'other' } },
  };
  await kubectl.apply(service);
  await kubectl.apply(functionObject('stock'));
  await eventually('the Function says so', async () => (await ready('stock'))?.reason === 'NameTaken');
  assert.equal(await kubectl.get('deployment', 'stock'), null);
  assert.partialDeepStrictEqual(await kubectl.get('service', 'stock'), { spec: { ports: [{ port: 99 }] } });
  await kubectl.run('delete', 'service', 'stock');
  await deployed('stock', () => true);
});

withPlane('a steady state costs no writes', async () => {
  const [operator] = operators as [RunningProcess];
  const writes = () => metric(operator, /mayfly_operator_writes_total\{.*\}/);
  const rests = await eventually('the writes have ended', async () => {
    const before = await writes();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    return (await writes()) === before && before;
  });
  assert.ok(rests > 0);
  await kubectl.run('annotate', 'function/orders', 'example.com/note=hello');
  await kubectl.run('label', 'deployment/orders', 'team=checkout');
  await new Promise((resolve) => setTimeout(resolve, 2000));
  assert.equal(await writes(), rests);
});

withPlane('when the leader dies another takes over', async () => {
  const [first] = operators.splice(0, 1) as [RunningProcess];
  const second = await startOperator();
  assert.ok(!second.output().includes('"leads"'));
  await first[Symbol.asyncDispose]();
  await kubectl.apply(functionObject('orders', { replicas: 4 }));
  await deployed('orders', ({ spec }) => spec.replicas === 4);
  assert.ok(second.output().includes('"leads"'));
});

withPlane('a leader that is asked to end gives the lease back and finishes', async () => {
  const [second] = operators.splice(0, 1) as [RunningProcess];
  const third = await startOperator();
  second.signal('SIGTERM');
  assert.equal(await second.ended, 0);
  const begun = performance.now();
  await third.says('"leads"');
  // A lease that was not given back lasts 15 s.
  assert.ok(performance.now() - begun < 14_000);
});

withPlane('an API server that is killed and comes back loses nothing', async (_, control) => {
  const names = Array.from({ length: 20 }, (_item, index) => `burst-${index}`);
  await kubectl.apply(...names.map((name) => functionObject(name, { replicas: 0 })));
  await control.killApiServer();
  await control.startApiServer();
  for (const name of names) await deployed(name, () => true);
  await kubectl.apply(functionObject('burst-0', { replicas: 0, image: image('c') }));
  await deployed('burst-0', ({ spec }) => spec.template.spec.containers[0]?.image === image('c'));
});

withPlane('what belonged to a deleted Function is collected', async () => {
  await kubectl.run('delete', 'function', 'orders', '--wait=false');
  await eventually(
    'nothing of it is left',
    async () =>
      (await kubectl.get('deployment', 'orders')) === null &&
      (await kubectl.get('service', 'orders')) === null,
    90_000,
  );
});
