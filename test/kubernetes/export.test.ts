/** `mayfly export kubernetes`, deploy/kubernetes and deploy/chart against the schemas of Kubernetes 1.30. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import type { KubeObject } from '../../src/kubernetes/cluster/objects.ts';
import { planGateway } from '../../src/kubernetes/isolate/plan.ts';
import { secretVariable } from '../../src/kubernetes/isolate/secrets.ts';
import { GATEWAY } from '../../src/kubernetes/resources/kinds.ts';
import { demandAddress } from '../../src/kubernetes/resources/names.ts';
import { parseSpec } from '../../src/kubernetes/resources/parse.ts';
import { mayfly, mayflyJson } from '../support/cli.ts';
import { makeTestFolder } from '../support/folder.ts';
import { needPart } from '../support/parts.ts';
import { CHART, renderChart } from './support/chart.ts';

const DEPLOY = join(import.meta.dirname, '../../deploy/kubernetes');
const IMAGE = `registry.example.com/shop/orders@sha256:${'a'.repeat(64)}`;

/** The shop's file of the README, with one function in it. */
const SHOP = `
server: { port: 8080, host: "0.0.0.0", timeout: 30s, max_connections: 10000 }
function: { max_concurrent_requests: 1000, request_timeout: 30s, memory_limit: 64Mi, cpu_limit: 100m }
rate_limit: { requests_per_second: 100, burst_size: 200, window_size: 60s }
concurrency: { max_workers: 1000, queue_size: 10000, worker_timeout: 30s }
logging: { level: "warn", format: "json", output: "stdout" }
monitoring: { enabled: true, metrics_port: 9090, health_check_interval: 10s }
security: { jwt_secret: "\${JWT_SECRET}", token_expiry: 3600s, rate_limit_enabled: true }
functions:
  orders:
    source: oci://${IMAGE}
    env: { GREETING: hello, API_KEY: "\${API_KEY}" }
`;
const ENV = { JWT_SECRET: 'j'.repeat(40), API_KEY: 'very-secret-indeed', STORE: 'of the store' };

interface List {
  readonly items: readonly KubeObject[];
}

async function exported(...flags: string[]): Promise<Record<string, KubeObject>> {
  using folder = makeTestFolder({ 'mayfly.yaml': SHOP });
  const list = await mayflyJson<List>(['export', 'kubernetes', folder.path, ...flags], { env: ENV });
  return Object.fromEntries(list.items.map((object) => [object.kind, object]));
}

test("the shop's Deployment, Service and HPA come out of its file", async () => {
  const { Deployment, Service, HorizontalPodAutoscaler, ...others } = await exported('--namespace', 'shop');
  assert.deepEqual(others, {});
  assert.partialDeepStrictEqual(Deployment, {
    metadata: { name: 'orders', namespace: 'shop' },
    spec: {
      template: {
        spec: {
          runtimeClassName: 'wasmedge',
          containers: [
            {
              image: IMAGE,
              ports: [{ name: 'http', containerPort: 8080 }],
              env: [
                { name: 'LOG_LEVEL', value: 'warn' },
                { name: 'PORT', value: '8080' },
                { name: 'GREETING', value: 'hello' },
                { name: 'API_KEY', valueFrom: { secretKeyRef: { name: 'orders-env', key: 'API_KEY' } } },
              ],
              resources: {
                requests: { cpu: '10m', memory: '32Mi' },
                limits: { cpu: '100m', memory: '64Mi' },
              },
              livenessProbe: { httpGet: { path: '/health', port: 'http' } },
              readinessProbe: { httpGet: { path: '/ready', port: 'http' } },
            },
          ],
        },
      },
    },
  });
  assert.partialDeepStrictEqual(Service, {
    spec: { type: 'ClusterIP', ports: [{ port: 80, targetPort: 'http' }] },
  });
  assert.partialDeepStrictEqual(HorizontalPodAutoscaler, {
    spec: { scaleTargetRef: { kind: 'Deployment', name: 'orders' }, minReplicas: 10, maxReplicas: 5000 },
  });
});

test('values from outside of the file do not get into what is written', async () => {
  using folder = makeTestFolder({ 'mayfly.yaml': SHOP });
  for (const flags of [[], ['--functions'], ['--json']]) {
    const { code, out, err } = await mayfly(['export', 'kubernetes', folder.path, ...flags], { env: ENV });
    assert.equal(code, 0);
    assert.ok(!out.includes(ENV.API_KEY) && !out.includes(ENV.JWT_SECRET));
    assert.match(err, /orders reads API_KEY from a Secret called orders-env/);
    assert.match(err, /tokens, rate limits are a gateway's work/);
  }
});

const WITH_POLICY = `${SHOP}    routes:
      - { path: /buy, rate_limit: { requests_per_second: 5 }, policy: { rule: data.serverless.buy } }
      - { path: /look, rate_limit: false, policy: false, auth: public }
policy: { files: [rules.rego] }
fleet: { store: 'valkey://valkey:6379', password: "\${STORE}", name: shops, interval: 50ms }
`;
const RULES = 'package serverless\nallow := true\nbuy := true\n';

test('with --runtime isolate the whole file becomes a gateway, and a gateway of it the same file', async () => {
  using folder = makeTestFolder({ 'mayfly.yaml': WITH_POLICY, 'rules.rego': RULES });
  const flags = ['--runtime', 'isolate', '--gateway', 'shop', '--namespace', 'shop'];
  const { items } = await mayflyJson<List>(['export', 'kubernetes', folder.path, ...flags], { env: ENV });
  assert.deepEqual(
    items.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`),
    [
      'MayflyGateway shop/shop',
      'Policy shop/shop',
      'RateLimit shop/orders-1',
      'Policy shop/orders-1',
      'Function shop/orders',
    ],
  );
  for (const secret of Object.values(ENV)) assert.ok(!JSON.stringify(items).includes(secret));
  const [gateway, , , , orders] = items;
  // What the file says is what a gateway does by itself.
  assert.deepEqual(gateway?.['spec'], {
    logging: { level: 'warn' },
    security: { jwtSecret: { name: 'shop-jwt', key: 'secret' } },
    policy: { name: 'shop' },
    fleet: {
      store: 'valkey://valkey:6379',
      user: 'default',
      name: 'shops',
      interval: '50ms',
      passwordSecret: { name: 'shop-fleet', key: 'password' },
    },
  });
  assert.partialDeepStrictEqual(orders?.['spec'], {
    image: IMAGE,
    env: { GREETING: 'hello' },
    secretEnv: { API_KEY: { name: 'orders-env', key: 'API_KEY' } },
    routes: [
      { path: '/buy', rateLimit: 'orders-1', policy: 'orders-1' },
      { path: '/look', rateLimit: 'none', policy: 'none', auth: 'public' },
    ],
  });
  const parsed = parseSpec(GATEWAY, gateway as KubeObject);
  assert.ok('spec' in parsed);
  const byName = (kind: string) => (name: string) =>
    items.find((item) => item.kind === kind && item.metadata.name === name);
  const plan = planGateway({
    gateway: gateway as KubeObject,
    spec: parsed.spec,
    functions: [orders as KubeObject],
    demandAddress: demandAddress(),
    policy: byName('Policy'),
    rateLimit: byName('RateLimit'),
    verdict: () => null,
    compiled: () => null,
  });
  using served = makeTestFolder({ 'mayfly.yaml': plan.configuration });
  for (const { name, content } of plan.files.flat())
    writeFileSync(join(served.path, name), 'text' in content ? content.text : '');
  const env = {
    [secretVariable({ name: 'shop-jwt', key: 'secret' })]: ENV.JWT_SECRET,
    [secretVariable({ name: 'orders-env', key: 'API_KEY' })]: ENV.API_KEY,
    [secretVariable({ name: 'shop-fleet', key: 'password' })]: ENV.STORE,
  };
  const [before, after] = [
    resolveConfig(loadConfig(folder.path, ENV)),
    resolveConfig(loadConfig(served.path, env)),
  ];
  for (const key of [
    'http',
    'auth',
    'functions',
    'maxInstances',
    'healthCheckIntervalMs',
    'tokenExpiryMs',
    'fleet',
  ] as const)
    assert.deepEqual(after[key], before[key], key);
});

test('what pods cannot be made of is refused with a way out', async () => {
  for (const [config, flags, sentence] of [
    ['functions: { orders: { source: ./orders.wasm } }', [], /pods need an image.*\n.*--image orders=/],
    [`functions: { 1st: { source: "oci://${IMAGE}" } }`, [], /a Service cannot be called so/],
    [
      `functions: { orders: { source: "oci://${IMAGE}", env: { PORT: "1" } } }`,
      [],
      /env sets a variable that the operator sets/,
    ],
    [
      `functions: { orders: { source: "oci://${IMAGE}" } }`,
      ['--image', 'orders=orders:latest'],
      /image is not an image by its digest/,
    ],
  ] as const) {
    using folder = makeTestFolder({ 'mayfly.yaml': config, 'orders.wasm': '' });
    const { code, err } = await mayfly(['export', 'kubernetes', folder.path, ...flags]);
    assert.equal(code, 2, err);
    assert.match(err, sentence);
  }
});

test('helm finds nothing wrong with the chart', async (t) => {
  const helm = await needPart(t, 'helm');
  if (helm === undefined) return;
  const { status, stdout, stderr } = spawnSync(helm.paths.helm, ['lint', '--strict', CHART], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, `${stdout}${stderr}`);
});

test('kubeconform finds nothing wrong with what is exported, the manifests and the chart', async (t) => {
  const [kubeconform, schemas] = [await needPart(t, 'kubeconform'), await needPart(t, 'kubernetes-schemas')];
  const helm = await needPart(t, 'helm');
  if (kubeconform === undefined || schemas === undefined || helm === undefined) return;
  using folder = makeTestFolder({ 'mayfly.yaml': SHOP });
  const own = join(folder.path, 'schemas');
  mkdirSync(own);
  for (const file of globSync('crds/*.yaml', { cwd: DEPLOY })) {
    const { spec } = parse(readFileSync(join(DEPLOY, file), 'utf8')) as {
      spec: {
        names: { singular: string };
        versions: { name: string; schema: { openAPIV3Schema: object } }[];
      };
    };
    for (const { name, schema } of spec.versions)
      writeFileSync(
        join(own, `${spec.names.singular}-mayfly-${name}.json`),
        JSON.stringify(schema.openAPIV3Schema),
      );
  }
  const files = globSync('*.yaml', { cwd: DEPLOY, exclude: ['kustomization.yaml'] }).map((file) =>
    join(DEPLOY, file),
  );
  for (const [name, flags] of [
    ['plain.yaml', []],
    ['functions.yaml', ['--functions']],
    ['gateway.yaml', ['--runtime', 'isolate']],
  ] as const) {
    const { out } = await mayfly(['export', 'kubernetes', folder.path, ...flags], { env: ENV });
    writeFileSync(join(folder.path, name), out);
    files.push(join(folder.path, name));
  }
  const chart = join(folder.path, 'chart.yaml');
  writeFileSync(chart, renderChart(helm.paths.helm, 'mayfly-system'));
  files.push(chart);
  const objects = files.flatMap((file) => parseAllDocuments(readFileSync(file, 'utf8')));
  assert.ok(objects.length >= 28);
  const locations = [schemas.paths.schemas, own].flatMap((path) => [
    '-schema-location',
    `${path}/{{ .ResourceKind }}{{ .KindSuffix }}.json`,
  ]);
  const { status, stdout, stderr } = spawnSync(
    kubeconform.paths.kubeconform,
    ['-strict', '-summary', ...locations, ...files],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, `${stdout}${stderr}`);
  assert.ok(stdout.includes(`Summary: ${objects.length} resources found`), stdout);
});
