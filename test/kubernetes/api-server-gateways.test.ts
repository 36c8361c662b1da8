/** Gateways, Policies and RateLimits against a real Kubernetes API server with etcd and the stock controllers. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { part } from '../../scripts/parts/part.ts';
import { loadConfig } from '../../src/config/load.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { settlePolicy } from '../../src/control/foundation.ts';
import { ClusterClient } from '../../src/kubernetes/cluster/client.ts';
import { findAccess } from '../../src/kubernetes/cluster/kubeconfig.ts';
import type { KubeObject } from '../../src/kubernetes/cluster/objects.ts';
import type { ResourceKind } from '../../src/kubernetes/resources/crd.ts';
import { FUNCTION, GATEWAY, POLICY, RATE_LIMIT } from '../../src/kubernetes/resources/kinds.ts';
import { parseSpec } from '../../src/kubernetes/resources/parse.ts';
import type { Condition } from '../../src/kubernetes/resources/status.ts';
import { readShipped } from '../../src/policy/shipped.ts';
import type { RunningProcess } from '../support/cli.ts';
import { makeTestFolder } from '../support/folder.ts';
import { missingPart } from '../support/parts.ts';
import { ControlPlane } from './support/control-plane.ts';
import { GatewayPods } from './support/gateway-pods.ts';
import { eventually, Kubectl } from './support/kubectl.ts';
import { startOperator } from './support/operator.ts';

const MANIFESTS = join(import.meta.dirname, '../../deploy/kubernetes');
const IMAGE = `registry.example.com/shop/orders@sha256:${'a'.repeat(64)}`;
/** An empty module. */
const WASM = Buffer.from('0061736d01000000', 'hex').toString('base64');
const REGO = 'package serverless\n\ndefault allow := false\n\nallow if input.user.role == "customer"\n';

let plane: ControlPlane | null = null;
let kubectl: Kubectl;
let operator: RunningProcess | null = null;
let cluster: ClusterClient;
let pods: GatewayPods;
let missing = '';

before(
  async () => {
    const [kube, etcd, client] = [await part('kube'), await part('etcd'), await part('kubectl')];
    for (const found of [kube, etcd, client]) if ('missing' in found) missing = found.missing;
    if ('missing' in kube || 'missing' in etcd || 'missing' in client) return;
    plane = await ControlPlane.start({ kube, etcd });
    await plane.startControllers();
    kubectl = new Kubectl(client.paths.kubectl, plane.kubeconfig);
    await kubectl.run('apply', '--server-side', '-k', MANIFESTS);
    await kubectl.run('wait', '--for=condition=Established', 'crd', '--all');
    cluster = new ClusterClient(findAccess({ env: {}, file: plane.kubeconfig, context: undefined }));
    pods = new GatewayPods(cluster, kubectl);
    const flags = ['--log-level', 'debug', '--gateway-image', 'mayfly:test'];
    const started = await startOperator(plane, kubectl, { flags });
    operator = started;
    await started.says('operator started');
  },
  { timeout: 1_200_000 },
);

after(async () => {
  await operator?.[Symbol.asyncDispose]();
  if (plane === null) return;
  await pods[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
  await plane[Symbol.asyncDispose]();
});

/** A test that needs the control plane. */
function withPlane(name: string, body: () => Promise<void>): void {
  test(name, { timeout: 180_000 }, async (t) => {
    if (plane === null) return void missingPart(t, missing);
    await body();
    assert.equal(pods.failure, null);
  });
}

function object(kind: string, name: string, spec: object = {}): KubeObject {
  return { apiVersion: 'mayfly.dev/v1alpha1', kind, metadata: { name, namespace: 'default' }, spec };
}

function isolate(name: string, spec: object = {}): KubeObject {
  return object('Function', name, { runtime: 'isolate', gateway: 'shop', image: IMAGE, ...spec });
}

const GOOD: Readonly<Record<string, object>> = {
  Function: { runtime: 'isolate', gateway: 'shop', image: IMAGE },
  MayflyGateway: {},
  Policy: { rego: REGO },
  RateLimit: {},
};

const REFUSED: readonly [ResourceKind<never> | ResourceKind<any>, object][] = [
  [FUNCTION, { gateway: undefined }],
  [FUNCTION, { image: undefined }],
  [FUNCTION, { source: { wasm: WASM } }],
  [FUNCTION, { runtime: 'wasmedge', cpuBudget: '50ms' }],
  [FUNCTION, { runtime: 'wasmedge', gateway: undefined, holdTimeout: '5s' }],
  [FUNCTION, { runtime: 'wasmedge', holdTimeout: '2h' }],
  [FUNCTION, { holdTimeout: '5s' }],
  [FUNCTION, { scaling: {} }],
  [FUNCTION, { runtime: 'wasmedge', gateway: undefined, routes: [{ path: '/a' }] }],
  [FUNCTION, { runtime: 'wasmedge', gateway: undefined, requestTimeout: '5s' }],
  [FUNCTION, { routes: [{ path: 'orders' }] }],
  [FUNCTION, { routes: [{ path: '/a/../b' }] }],
  [FUNCTION, { routes: [{ path: '/a', host: 'shop.example.com:80' }] }],
  [FUNCTION, { policy: 'Customers' }],
  [FUNCTION, { requestTimeout: '25h' }],
  [FUNCTION, { requestTimeout: '2d' }],
  [FUNCTION, { requestTimeout: 'soon' }],
  [FUNCTION, { maxRequestBody: '2Gi' }],
  [FUNCTION, { queueSize: -1 }],
  [GATEWAY, { scaling: { minReplicas: 3, maxReplicas: 2 } }],
  [GATEWAY, { memoryRequest: '2Gi' }],
  [GATEWAY, { cpuLimit: '100m' }],
  [GATEWAY, { replicas: 1001 }],
  [GATEWAY, { server: { timeout: '1ms' } }],
  [GATEWAY, { server: { maxHeaderSize: '2Mi' } }],
  [GATEWAY, { rateLimit: { requestsPerSecond: 0 } }],
  [GATEWAY, { security: { jwksUrl: 'ftp://x' } }],
  [GATEWAY, { security: { jwtSecret: { name: 'jwt', key: 'a b' } } }],
  [GATEWAY, { policy: { decisionLog: { sample: 2 } } }],
  [POLICY, { rego: '' }],
  [POLICY, { rule: 'serverless.allow' }],
  [POLICY, { input: { 'order.amount': 'cookie:x' } }],
  [RATE_LIMIT, { requestsPerSecond: 0 }],
  [RATE_LIMIT, { burstSize: 0 }],
  [RATE_LIMIT, { windowSize: '999ms' }],
  [RATE_LIMIT, { key: ['user', 'cookie'] }],
];

withPlane('the API server refuses what the operator would refuse, in the same words', async () => {
  for (const [kind, spec] of REFUSED) {
    const bad = object(kind.kind, 'refused', JSON.parse(JSON.stringify({ ...GOOD[kind.kind], ...spec })));
    const { code, err } = await kubectl.try(['apply', '--dry-run=server', '-f', '-'], bad);
    const parsed = parseSpec(kind as ResourceKind<unknown>, bad);
    assert.ok('problem' in parsed, JSON.stringify(spec));
    const [, key, sentence] = /^(spec\S*) (.*)$/.exec(parsed.problem) as unknown as [string, string, string];
    assert.equal(code, 1, JSON.stringify(spec));
    // The API server writes entries of mappings in brackets, as it writes places in lists.
    const said = err.replaceAll(/\[([a-z][\w.]*)\]/g, '.$1');
    assert.ok(said.includes(`${key}: `) && said.includes(sentence), `${parsed.problem}\n${err}`);
  }
});

withPlane('what the API server fills in is what the operator fills in', async () => {
  for (const kind of [FUNCTION, GATEWAY, POLICY, RATE_LIMIT] as readonly ResourceKind<any>[]) {
    const plain = object(kind.kind, 'filled', GOOD[kind.kind]);
    const { out, err } = await kubectl.try(['apply', '--dry-run=server', '-f', '-', '-o', 'json'], plain);
    assert.notEqual(out, '', err);
    assert.deepEqual(parseSpec(kind, JSON.parse(out) as KubeObject), parseSpec(kind, plain));
  }
});

withPlane('paths are read alike by the API server and by mayfly check', async () => {
  const paths = ['/', '/*', '/a', '/a/', '/a/*', '/...', '/..a', '/.a/b..', '/%2F', "/a~!$&'()+,;=:@-_"];
  const good = isolate('paths', { routes: paths.map((path) => ({ path })) });
  assert.ok('spec' in parseSpec(FUNCTION, good));
  const { code, err } = await kubectl.try(['apply', '--dry-run=server', '-f', '-'], good);
  assert.equal(code, 0, err);
  const odd = ['', 'a', '//', '/.', '/..', '/a/./b', '/a/..', '/a/../*', '/%2f', '/a*', '/a b', '/é', '/**'];
  const bad = isolate('paths', { routes: odd.map((path) => ({ path })) });
  const answer = await kubectl.try(['apply', '--dry-run=server', '-f', '-'], bad);
  for (const index of odd.keys()) assert.ok(answer.err.includes(`spec.routes[${index}].path: `), odd[index]);
});

interface Said {
  readonly status?: { readonly conditions?: readonly Condition[]; readonly currentReplicas?: number };
}

async function readyReason(kind: string, name: string): Promise<string | undefined> {
  const found = await kubectl.get<Said>(kind, name);
  return found?.status?.conditions?.find(({ type }) => type === 'Ready')?.reason;
}

function becomes(kind: string, name: string, reason: string): Promise<true> {
  return eventually(`${kind} ${name} says ${reason}`, async () => (await readyReason(kind, name)) === reason);
}

/** The configuration of a gateway as a pod would read it. */
async function configurationOf(gateway: string) {
  using folder = await filesOf(gateway);
  return readConfiguration(folder.path);
}

function readConfiguration(folder: string) {
  const text = readFileSync(join(folder, 'mayfly.yaml'), 'utf8');
  const names = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => [name, 's'.repeat(32)]);
  return resolveConfig(loadConfig(folder, Object.fromEntries(names) as Record<string, string>));
}

/** A folder with what the pods of a gateway have in theirs. */
async function filesOf(gateway: string) {
  const folder = makeTestFolder({});
  const maps = await Promise.all([
    kubectl.get<Maps>('configmap', gateway),
    ...Array.from({ length: 8 }, (_, index) => kubectl.get<Maps>('configmap', `${gateway}-files-${index}`)),
  ]);
  for (const map of maps) {
    for (const [name, text] of Object.entries(map?.data ?? {})) writeFileSync(join(folder.path, name), text);
    for (const [name, text] of Object.entries(map?.binaryData ?? {}))
      writeFileSync(join(folder.path, name), Buffer.from(text, 'base64'));
  }
  return folder;
}

interface Maps {
  readonly data?: Record<string, string>;
  readonly binaryData?: Record<string, string>;
}

withPlane('a gateway with two functions, a policy and a rate limit', async () => {
  await kubectl.apply(
    isolate('orders', { policy: 'customers', rateLimit: 'gentle', env: { GREETING: 'hello ${HOME}' } }),
    isolate('stock', {
      image: undefined,
      source: { wasm: WASM },
      auth: 'public',
      secretEnv: { KEY: { name: 'keys', key: 'stock' } },
    }),
  );
  await becomes('function', 'orders', 'GatewayMissing');
  await kubectl.apply(
    object('MayflyGateway', 'shop', {
      scaling: { minReplicas: 2 },
      security: { jwtSecret: { name: 'jwt', key: 'secret' } },
    }),
  );
  await becomes('function', 'orders', 'PolicyMissing');
  await kubectl.apply(object('Policy', 'customers', { rego: REGO }));
  await becomes('function', 'orders', 'RateLimitMissing');
  await kubectl.apply(object('RateLimit', 'gentle', { requestsPerSecond: 5 }));
  await becomes('function', 'orders', 'Answering');
  await becomes('function', 'stock', 'Answering');
  await becomes('mayflygateway', 'shop', 'Answering');
  for (const [kind, name] of [
    ['policy', 'customers'],
    ['ratelimit', 'gentle'],
  ] as const)
    await becomes(kind, name, 'Usable');

  const { functions, auth, policy } = await configurationOf('shop');
  const [orders, stock] = functions;
  assert.equal(orders?.configuration.env['GREETING'], 'hello ${HOME}');
  assert.deepEqual(orders?.source, { type: 'image', reference: `oci://${IMAGE}` });
  assert.partialDeepStrictEqual(orders?.routes[0], {
    auth: 'required',
    rateLimit: { requestsPerSecond: 5 },
    policy: { entrypoint: 'serverless/allow' },
  });
  assert.equal(stock?.configuration.env['KEY'], 's'.repeat(32));
  assert.partialDeepStrictEqual(stock?.routes[0], { auth: 'public', policy: null });
  assert.deepEqual(auth?.secret, { text: 's'.repeat(32) });
  assert.equal(policy?.patterns.length, 1);
});

withPlane('its rules lie compiled beside them, under the name that pods look for', async () => {
  using folder = await filesOf('shop');
  const { policy } = readConfiguration(folder.path);
  assert.ok(policy !== null);
  const { digest } = await settlePolicy(folder.path, policy, null);
  assert.deepEqual(
    readdirSync(folder.path).filter((name) => name.endsWith('.policy')),
    [`${digest.replace('sha256:', '')}.policy`],
  );
  assert.notEqual(await readShipped(folder.path, digest), null);
});

withPlane('what it is made of', async () => {
  const deployment = await kubectl.get<{ spec: { template: { spec: object } } }>('deployment', 'shop');
  assert.partialDeepStrictEqual(deployment?.spec.template.spec, {
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true },
    containers: [
      {
        image: 'mayfly:test',
        securityContext: { readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
      },
    ],
  });
  assert.partialDeepStrictEqual(await kubectl.get('service', 'shop'), { spec: { ports: [{ port: 80 }] } });
  assert.partialDeepStrictEqual(await kubectl.get('pdb', 'shop'), { spec: { maxUnavailable: 1 } });
  assert.partialDeepStrictEqual(await kubectl.get('hpa', 'shop'), {
    spec: { scaleTargetRef: { kind: 'MayflyGateway' }, minReplicas: 2, maxReplicas: 20 },
  });
  assert.match(
    await kubectl.run('get', 'mgw'),
    /^NAME +READY +REASON +PODS +CURRENT +WANTED +FUNCTIONS +AGE\nshop +True +Answering +2 +2 +2 +2 /,
  );
  assert.match(
    await kubectl.run('get', 'mrl,mpol'),
    /gentle +5 +200 +True +Usable[^]*data\.serverless\.allow/,
  );
});

withPlane('a change reaches the pods without new ones, and is Ready when all have it', async () => {
  const names = async () => (await kubectl.run('get', 'pods', '-o', 'name')).split('\n').toSorted();
  const before = await names();
  pods.refuses = true;
  await kubectl.apply(isolate('orders', { routes: [{ path: '/buy' }] }));
  await becomes('function', 'orders', 'ConfigurationRefused');
  assert.equal(await readyReason('function', 'stock'), 'Answering');
  const conditions = (await kubectl.get<Said>('mayflygateway', 'shop'))?.status?.conditions ?? [];
  assert.equal(conditions.find(({ type }) => type === 'Degraded')?.reason, 'ConfigurationRefused');
  pods.refuses = false;
  await kubectl.apply(isolate('orders', { policy: 'customers', routes: [{ path: '/purchase' }] }));
  await becomes('function', 'orders', 'Answering');
  assert.equal((await configurationOf('shop')).functions[0]?.routes[0]?.path, '/purchase');
  assert.deepEqual(await names(), before);
});

withPlane('what cannot be served is left out and says why; the others go on', async () => {
  const broken = 'package broken\n\nallow := \n';
  await kubectl.apply(
    object('Policy', 'broken', { rego: broken, rule: 'data.broken.allow' }),
    object('Policy', 'rival', { rego: `${REGO}\nallow if input.user.role == "admin"\n` }),
    isolate('second', { routes: [{ path: '/purchase' }] }),
    isolate('third', { policy: 'broken' }),
    isolate('fourth', { policy: 'customers' }),
    isolate('fifth', { policy: 'rival' }),
    isolate('sixth', { routes: [{ path: '/health' }] }),
  );
  await becomes('policy', 'broken', 'InvalidSpec');
  for (const [name, reason] of [
    ['second', 'RouteTaken'],
    ['third', 'PolicyInvalid'],
    ['fourth', 'Answering'],
    ['fifth', 'PolicyConflict'],
    ['sixth', 'InvalidSpec'],
    ['orders', 'Answering'],
  ] as const)
    await becomes('function', name, reason);
  const described = await kubectl.run('describe', 'function', 'third');
  assert.match(described, /Policy broken: The policy does not compile/);
  assert.equal((await configurationOf('shop')).functions.length, 3);
});

withPlane('two gateways have nothing of each other', async () => {
  await kubectl.apply(object('MayflyGateway', 'back', { replicas: 1 }));
  await kubectl.apply(isolate('second', { gateway: 'back', routes: [{ path: '/purchase' }] }));
  await becomes('function', 'second', 'Answering');
  const { functions, auth } = await configurationOf('back');
  assert.deepEqual(
    functions.map(({ name }) => name),
    ['second'],
  );
  assert.equal(auth, null);
  await kubectl.run('scale', 'mgw/back', '--replicas=3');
  await eventually('three pods serve', async () => {
    const found = await kubectl.get<Said>('mayflygateway', 'back');
    return found?.status?.currentReplicas === 3;
  });
});

withPlane('a Function with pods of its own: the gateway forwards, however many pods there are', async () => {
  const own = { runtime: 'wasmedge', replicas: 0, scaling: { minReplicas: 0, idleAfter: '60s' } };
  const degraded = async () => {
    const found = await kubectl.get<Said>('function', 'own');
    return found?.status?.conditions?.find(({ type }) => type === 'Degraded');
  };
  await kubectl.apply(isolate('own', { ...own, policy: 'nobody' }));
  await eventually('it says that a Policy is missing', async () => {
    return (await degraded())?.reason === 'PolicyMissing';
  });
  // That is the gateway's: its pods are as they should be.
  assert.equal(await readyReason('function', 'own'), 'ScaledToZero');
  await kubectl.apply(isolate('own', { ...own, policy: 'customers', holdTimeout: '7s' }));
  await eventually('the gateway serves it', async () => (await degraded())?.status === 'False');
  const { functions, demandUrl } = await configurationOf('shop');
  const found = functions.find(({ name }) => name === 'own');
  assert.deepEqual(found?.configuration.upstream, {
    url: 'http://own.default.svc',
    pods: 'default/own',
    holdMs: 7000,
  });
  assert.equal(demandUrl, 'http://mayfly-demand.mayfly-system.svc:9093/demand');

  const map = async () => (await kubectl.get<KubeObject>('configmap', 'shop'))?.metadata.resourceVersion;
  const before = await map();
  await kubectl.run('scale', 'function/own', '--replicas=3');
  await eventually('there are three pods', async () => {
    const deployment = await kubectl.get<{ status: { replicas?: number } }>('deployment', 'own');
    return deployment?.status.replicas === 3;
  });
  assert.equal(await map(), before);

  await kubectl.run('delete', 'function', 'own');
  await eventually('nobody is forwarded any more', async () => {
    return (await configurationOf('shop')).functions.every(({ name }) => name !== 'own');
  });
});

withPlane('a steady state costs no writes', async () => {
  const writes = async () => {
    const port = /"metrics":(\d+)/.exec(operator?.output() ?? '')?.[1];
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const found = [...text.matchAll(/^mayfly_operator_writes_total\{.*\} (\S+)$/gm)];
    return found.reduce((sum, match) => sum + Number(match[1]), 0);
  };
  const rests = await eventually('the writes have ended', async () => {
    const before = await writes();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    return (await writes()) === before && before;
  });
  await kubectl.run('annotate', 'mgw/shop', 'example.com/note=hello');
  await kubectl.run('label', 'function/orders', 'team=checkout');
  await new Promise((resolve) => setTimeout(resolve, 2000));
  assert.equal(await writes(), rests);
});

withPlane(
  'a Function that is deleted is not served any more; a gateway takes all with it that is its own',
  async () => {
    await kubectl.run('delete', 'function', 'fourth');
    await eventually('it is gone from the configuration', async () => {
      const { functions } = await configurationOf('shop');
      return functions.every(({ name }) => name !== 'fourth');
    });
    await kubectl.run('delete', 'mgw', 'shop', '--wait=false');
    await becomes('function', 'orders', 'GatewayMissing');
    await eventually(
      'nothing of it is left',
      async () => {
        const kinds = 'deployment,service,configmap,pdb,hpa,serviceaccount,pod';
        return (await kubectl.run('get', kinds, '-l', 'mayfly.dev/gateway=shop', '-o', 'name')) === '';
      },
      90_000,
    );
    assert.notEqual(await kubectl.get('deployment', 'back'), null);
  },
);
