import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KubeObject } from '../cluster/objects.ts';
import { GATEWAY } from '../resources/kinds.ts';
import { demandAddress } from '../resources/names.ts';
import { secretSources, secretVariable } from './secrets.ts';
import { parseSpec } from '../resources/parse.ts';
import { compiledFile, type PlacedFile } from './files.ts';
import type { GatewayRules } from './named-settings.ts';
import { type GatewayPlan, planGateway } from './plan.ts';

const IMAGE = `registry.example.com/shop/orders@sha256:${'a'.repeat(64)}`;
const KIB = 1024;

function object(kind: string, name: string, spec: object): KubeObject {
  const metadata = { name, namespace: 'shop', uid: `uid-${name}`, generation: 1 };
  return { apiVersion: 'mayfly.dev/v1alpha1', kind, metadata, spec };
}

function isolate(name: string, spec: object = {}): KubeObject {
  return object('Function', name, { runtime: 'isolate', gateway: 'shop', image: IMAGE, ...spec });
}

const POLICIES: Readonly<Record<string, object>> = {
  customers: { rego: 'package customers\nallow := true', rule: 'data.customers.allow' },
  twin: { rego: 'package customers\nallow := true', rule: 'data.customers.allow', input: { a: '=b' } },
  rival: { rego: 'package customers\nallow := false', rule: 'data.customers.allow' },
  broken: { rego: 'package broken', rule: 'data.broken.allow' },
};

function plan(
  functions: readonly KubeObject[],
  gateway: object = {},
  compiled: (rules: GatewayRules) => PlacedFile | null = () => null,
): GatewayPlan {
  const own = object('MayflyGateway', 'shop', gateway);
  const parsed = parseSpec(GATEWAY, own);
  assert.ok('spec' in parsed);
  return planGateway({
    gateway: own,
    spec: parsed.spec,
    functions,
    demandAddress: demandAddress('shops'),
    policy: (name) => (POLICIES[name] === undefined ? undefined : object('Policy', name, POLICIES[name])),
    rateLimit: (name) => (name === 'gentle' ? object('RateLimit', name, {}) : undefined),
    compiled,
    verdict: ({ rego }) => (rego === 'package broken' ? 'The policy has no rule.' : null),
  });
}

function outcomes({ functions }: GatewayPlan): Record<string, string> {
  const entries = [...functions].map(([name, { outcome }]) => [
    name,
    'hash' in outcome ? 'served' : outcome.reason,
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

test('who is served, and why the others are not', () => {
  for (const [spec, expected] of [
    [{}, 'served'],
    [{ policy: 'customers', rateLimit: 'gentle' }, 'served'],
    [{ policy: 'none', rateLimit: 'none' }, 'served'],
    [{ policy: 'nobody' }, 'PolicyMissing'],
    [{ policy: 'broken' }, 'PolicyInvalid'],
    [{ rateLimit: 'nobody' }, 'RateLimitMissing'],
    [{ routes: [{ path: '/a', policy: 'nobody' }] }, 'PolicyMissing'],
    [{ routes: [{ path: '/ready' }] }, 'InvalidSpec'],
    [{ auth: 'required' }, 'InvalidSpec'],
    [{ cpuLimit: 'much' }, 'InvalidSpec'],
  ] as const)
    assert.deepEqual(outcomes(plan([isolate('orders', spec)])), { orders: expected }, JSON.stringify(spec));
});

test('a Function with pods of its own is forwarded to, whatever its pods are like', () => {
  const own = (spec: object) => isolate('orders', { runtime: 'wasmedge', ...spec });
  const { configuration } = plan([own({ auth: 'public', requestTimeout: '3s', holdTimeout: '10s' })]);
  const line = configuration.split('\n').find((text) => text.startsWith('  "orders": ')) as string;
  const { routes, ...entry } = JSON.parse(line.replace('  "orders": ', '')) as { routes: object[] };
  assert.deepEqual(entry, {
    upstream: { url: 'http://orders.shop.svc:80', pods: 'shop/orders', hold_timeout: '10s' },
    request_timeout: '3s',
  });
  assert.equal(routes.length, 2);
  assert.ok(configuration.includes('"http://mayfly-demand.shops.svc:9093/demand"'));
  const plain = plan([own({})]);
  for (const spec of [
    { replicas: 7, image: IMAGE.replace(/a{64}$/, 'b'.repeat(64)), cpuLimit: '1', memoryLimit: '128Mi' },
    { env: { A: 'b' }, secretEnv: { KEY: { name: 'keys', key: 'k' } }, logLevel: 'warn' },
    { scaling: { minReplicas: 0, idleAfter: '60s' }, rollout: { steps: [50] } },
  ]) {
    const other = plan([own(spec)]);
    assert.deepEqual(outcomes(other), { orders: 'served' });
    assert.equal(other.hash, plain.hash, JSON.stringify(spec));
    assert.deepEqual(other.secrets, []);
  }
  assert.notEqual(plan([own({ service: { port: 8000 } })]).hash, plain.hash);
});

test('a fleet of its own, with the password from a Secret', () => {
  const fleet = {
    store: 'valkeys://valkey:6380',
    passwordSecret: { name: 'valkey', key: 'password' },
    ca: 'PEM',
    interval: '50ms',
  };
  const section = (gateway: object) => {
    const found = plan([], gateway);
    const line = found.configuration.split('\n').find((text) => text.startsWith('fleet: '));
    return { ...found, section: line === undefined ? null : (JSON.parse(line.slice(7)) as object) };
  };
  assert.equal(section({}).section, null);
  const { section: written, secrets, files } = section({ fleet });
  const [file] = files.flat();
  assert.deepEqual(written, {
    store: 'valkeys://valkey:6380',
    user: 'default',
    name: 'shop.shop',
    interval: '50ms',
    password: `\${${secretVariable(fleet.passwordSecret)}}`,
    ca_file: file?.name,
  });
  assert.deepEqual(secrets, [fleet.passwordSecret]);
  assert.partialDeepStrictEqual(section({ fleet: { ...fleet, name: 'all' } }).section, { name: 'all' });
});

test('what pods read once makes new pods, and nothing else does', () => {
  const start = (gateway: object) => plan([], gateway).start;
  const usual = start({});
  const once = [
    { server: { threads: 3 } },
    { logging: { level: 'warn' } },
    { monitoring: { healthCheckInterval: '5s' } },
    { fleet: { store: 'valkey://valkey:6379' } },
  ];
  for (const gateway of once) assert.notEqual(start(gateway), usual, JSON.stringify(gateway));
  for (const gateway of [
    { server: { timeout: '5s', maxConnections: 7 } },
    { rateLimit: { burstSize: 7 } },
    { concurrency: { queueSize: 7 } },
    { security: { jwtSecret: { name: 'jwt', key: 'k' } } },
    { policy: { decisionLog: { enabled: true } } },
    { replicas: 7, cpuLimit: '4' },
  ])
    assert.equal(start(gateway), usual, JSON.stringify(gateway));
});

test('two that want the same: the older one keeps it, within the rules of mayfly check', () => {
  const routes = (...all: object[]) => ({ routes: all });
  for (const [first, second, expected] of [
    [routes({ path: '/a' }), routes({ path: '/a' }), 'RouteTaken'],
    [
      routes({ path: '/a', host: 'Shop.example.com' }),
      routes({ path: '/a', host: 'shop.example.com' }),
      'RouteTaken',
    ],
    [routes({ path: '/a', methods: ['GET'] }), routes({ path: '/a' }), 'RouteTaken'],
    [routes({ path: '/a', methods: ['GET'] }), routes({ path: '/a', methods: ['POST'] }), 'served'],
    [routes({ path: '/a', host: 'a.example.com' }), routes({ path: '/a' }), 'served'],
    [{ policy: 'customers' }, { policy: 'rival' }, 'PolicyConflict'],
    [{ policy: 'customers' }, { policy: 'twin' }, 'served'],
  ] as const)
    assert.deepEqual(outcomes(plan([isolate('a', first), isolate('b', second)])), {
      a: 'served',
      b: expected,
    });
});

test('the order of objects does not matter, and what changes shows in the hash', () => {
  const functions = ['a', 'b', 'c', 'd'].map((name) => isolate(name, { policy: 'customers' }));
  const { configuration, hash } = plan(functions);
  fc.assert(
    fc.property(fc.shuffledSubarray(functions, { minLength: 4 }), (shuffled) => {
      assert.equal(plan(shuffled).configuration, configuration);
    }),
    { numRuns: 20 },
  );
  assert.notEqual(plan(functions.slice(1)).hash, hash);
  assert.notEqual(plan(functions, { logging: { level: 'warn' } }).hash, hash);
});

test('other code is another file, and so another configuration', () => {
  const wasm = (byte: number) => Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, byte]).toString('base64');
  const [one, two] = [1, 2].map((byte) =>
    plan([isolate('a', { image: undefined, source: { wasm: wasm(byte) } })]),
  );
  assert.notEqual(one?.hash, two?.hash);
  assert.equal(one?.files.flat().length, 1);
});

test('what does not fit is left out, and what fits after it is not', () => {
  const wasm = Buffer.alloc(600 * KIB, 1).toString('base64');
  const large = Array.from({ length: 10 }, (_, index) =>
    isolate(`large-${index}`, { image: undefined, source: { wasm } }),
  );
  const { files, functions } = plan([...large, isolate('small')]);
  const found = outcomes({ functions } as GatewayPlan);
  assert.equal(Object.values(found).filter((outcome) => outcome === 'NoRoom').length, 2);
  assert.equal(found['small'], 'served');
  for (const map of files) {
    const bytes = map.reduce((sum, file) => sum + file.bytes, 0);
    assert.ok(bytes < 1000 * KIB, String(bytes));
  }
});

test('compiled rules lie beside the others where there is room, and change nothing else', () => {
  const functions = [isolate('a', { policy: 'customers' }), isolate('b', { policy: 'twin' })];
  const plain = plan(functions);
  assert.deepEqual(plain.rules?.rules, ['data.customers.allow']);
  assert.deepEqual(Object.values(plain.rules?.files ?? {}), ['package customers\nallow := true']);
  assert.equal(plan([isolate('a')]).rules, null);
  for (const [bytes, expected] of [
    [1000, ['f00d.policy']],
    [1000 * KIB, []],
  ] as const) {
    const file = compiledFile('f00d.policy', new Uint8Array(bytes));
    const { hash, files } = plan(functions, {}, (rules) => {
      assert.deepEqual(rules, plain.rules);
      return file;
    });
    const names = files.flat().map(({ name }) => name);
    assert.deepEqual(
      names.filter((name) => name.endsWith('.policy')),
      expected,
    );
    assert.equal(names.filter((name) => name.endsWith('.rego')).length, 1);
    assert.equal(hash, plain.hash);
  }
});

test('values of Secrets are files called like their variables, each once, in one order', () => {
  const [a, b, c] = [
    { name: 'keys', key: 'b' },
    { name: 'keys', key: 'a' },
    { name: 'jwt', key: 'secret' },
  ] as const;
  const sources = secretSources([a, b, c, a]);
  assert.deepEqual(sources, secretSources([c, b, a]));
  assert.deepEqual(sources, [
    { secret: { name: 'jwt', items: [{ key: 'secret', path: secretVariable(c) }] } },
    {
      secret: {
        name: 'keys',
        items: [
          { key: 'a', path: secretVariable(b) },
          { key: 'b', path: secretVariable(a) },
        ],
      },
    },
  ]);
});

test('a Function cannot read what is not its own through a variable', () => {
  const gateway = { security: { jwtSecret: { name: 'jwt', key: 'secret' } } };
  const { configuration } = plan([isolate('a')], gateway);
  const [, variable] = /\$\{(MAYFLY_SECRET_\w+)\}/.exec(configuration) ?? [];
  assert.ok(variable !== undefined);
  const thief = plan([isolate('a', { env: { STOLEN: `\${${variable}}` } })], gateway).configuration;
  assert.ok(thief.includes(`"STOLEN":"$\${${variable}}"`));
});
