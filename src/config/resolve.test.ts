import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, formatIssue } from './issues.ts';
import type { Config } from './load.ts';
import { resolveConfig } from './resolve.ts';
import { schema } from './schema.ts';

function resolve(input: object) {
  const config: Config = {
    file: '/etc/mayfly/mayfly.yaml',
    directory: '/etc/mayfly',
    hash: '0'.repeat(64),
    settings: schema.parse(input),
    credentials: null,
  };
  return resolveConfig(config);
}

const f = (own: object) => ({ functions: { shop: { source: 'shop', ...own } } });
const budget = (own: object) => resolve(f(own)).functions[0]?.configuration.limits.cpuBudgetMs;
const auth = (security: object) => resolve({ security }).auth;
const routed = (path: string) => schema.safeParse(f({ routes: [{ path }] })).success;
const only = (input: object) => resolve(input).functions[0]?.routes[0];

test('the defaults: what the shop had, sign-in and policy off', () => {
  const { settle: _, ...resolved } = resolve({});
  assert.deepEqual(resolved, {
    file: '/etc/mayfly/mayfly.yaml',
    directory: '/etc/mayfly',
    stateDirectory: '/etc/mayfly/.mayfly',
    listen: { host: '0.0.0.0', port: 8080 },
    tls: null,
    threads: null,
    http: {
      maxHeadBytes: 16_384,
      maxHeaders: 100,
      maxTargetBytes: 8192,
      timeoutMs: 30_000,
      maxConnections: 10_000,
    },
    auth: null,
    tokenExpiryMs: 3_600_000,
    policy: null,
    decisionLog: null,
    maxInstances: 1000,
    functions: [],
    images: { keyFiles: [], caFile: null, plainHttp: [] },
    logging: { level: 'info', format: 'json', output: 'stdout', requests: false },
    metrics: { host: '0.0.0.0', port: 9090 },
    healthCheckIntervalMs: 10_000,
    demandUrl: null,
    demandTokenFile: null,
    fleet: null,
    drainDelayMs: 0,
    hash: '0'.repeat(64),
    admin: { host: '127.0.0.1', port: 9091, tokenFile: '/etc/mayfly/.mayfly/admin-token' },
    warnings: [],
  });
});

test('a function without routes answers below its name, under the defaults of the file', () => {
  const [shop] = resolve(f({})).functions;
  assert.deepEqual(shop?.source, { type: 'path', path: '/etc/mayfly/shop', build: null });
  assert.deepEqual(
    shop?.routes.map(({ path, auth, methods, policy }) => ({ path, auth, methods, policy })),
    ['/shop', '/shop/*'].map((path) => ({ path, auth: 'public', methods: null, policy: null })),
  );
  assert.deepEqual(shop?.configuration.limits, {
    memoryBytes: 64 * 2 ** 20,
    cpuBudgetMs: 3000,
    cpuMillicores: 100,
    requestTimeoutMs: 30_000,
    maxRequestBodyBytes: 2 ** 20,
    maxResponseBodyBytes: 4 * 2 ** 20,
    maxConcurrentRequests: 1000,
    queueSize: 10_000,
    queueTimeoutMs: 30_000,
  });
});

test('every limit of a function overrides that of the file', () => {
  const own = {
    memory_limit: '1Mi',
    cpu_limit: '2',
    cpu_budget: '7ms',
    request_timeout: '3s',
    max_request_body: '1k',
    max_response_body: '2k',
    max_concurrent_requests: 4,
    queue_size: 5,
    worker_timeout: '6ms',
  };
  assert.deepEqual(resolve(f(own)).functions[0]?.configuration.limits, {
    memoryBytes: 2 ** 20,
    cpuBudgetMs: 7,
    cpuMillicores: 2000,
    requestTimeoutMs: 3000,
    maxRequestBodyBytes: 1000,
    maxResponseBodyBytes: 2000,
    maxConcurrentRequests: 4,
    queueSize: 5,
    queueTimeoutMs: 6,
  });
});

test('the CPU budget follows cpu_limit and request_timeout: at least a millisecond, at most the whole time', () => {
  assert.equal(budget({ cpu_limit: '500m', request_timeout: '10s' }), 5000);
  assert.equal(budget({ cpu_limit: '4', request_timeout: '10s' }), 10_000);
  assert.equal(budget({ cpu_limit: '1m', request_timeout: '10ms' }), 1);
});

test('with a key, routes demand a token unless they say otherwise', () => {
  const security = { jwt_secret: 'x'.repeat(32) };
  assert.equal(only({ security, ...f({}) })?.auth, 'required');
  assert.equal(only({ security, ...f({ routes: [{ path: '/x', auth: 'public' }] }) })?.auth, 'public');
  assert.equal(only({ security, ...f({ routes: [{ path: '/x', auth: 'optional' }] }) })?.auth, 'optional');
});

test('keys: a secret or a file, a set from a file or an address', () => {
  assert.deepEqual(auth({ jwt_secret: 'x'.repeat(32), issuer: 'i', audience: 'a', clock_tolerance: '1s' }), {
    secret: { text: 'x'.repeat(32) },
    jwks: null,
    issuer: 'i',
    audience: 'a',
    maxTokenAgeMs: 3_600_000,
    clockToleranceMs: 1000,
  });
  assert.deepEqual(auth({ jwt_secret_file: 's' })?.secret, { file: '/etc/mayfly/s' });
  assert.deepEqual(auth({ jwks_file: '/k.json' })?.jwks, { file: '/k.json' });
  const url = 'https://keys.test/jwks';
  assert.deepEqual(auth({ jwks_url: url, jwks_refresh: '1m' })?.jwks, { url, refreshMs: 60_000 });
});

test('a secret that can be guessed is said', () => {
  assert.equal(resolve({ security: { jwt_secret: 'short' } }).warnings.length, 1);
  assert.doesNotMatch(resolve({ security: { jwt_secret: 'hunter2' } }).warnings.join(), /hunter2/);
});

test('rate limits: shared, of a route, off', () => {
  const shared = {
    requests_per_second: 5,
    burst_size: 6,
    window_size: '7s',
    key: ['ip', 'header:X-Tenant', 'claim:org'],
  };
  assert.deepEqual(only({ rate_limit: shared, ...f({}) })?.rateLimit, {
    name: 'default',
    requestsPerSecond: 5,
    burst: 6,
    windowMs: 7000,
    key: [{ by: 'ip' }, { by: 'header', name: 'x-tenant' }, { by: 'claim', name: 'org' }],
  });
  const own = { routes: [{ path: '/x', methods: ['POST'], rate_limit: { burst_size: 1 } }] };
  const limit = only({ rate_limit: shared, ...f(own) })?.rateLimit;
  assert.deepEqual([limit?.name, limit?.burst, limit?.requestsPerSecond], ['shop POST /x', 1, 5]);
  assert.equal(only(f({ routes: [{ path: '/x', rate_limit: false }] }))?.rateLimit, null);
  assert.equal(only({ security: { rate_limit_enabled: false }, ...f(own) })?.rateLimit, null);
});

test('policy: the default rule, a rule of a route, input from both, off', () => {
  const policy = { files: ['p'], data: 'd.json', input: { tenant: 'claim:tenant', 'a.b': '=1' } };
  const routes = [
    {
      path: '/x',
      policy: {
        rule: 'data.shop.orders.allow',
        input: { 'order.amount': 'body:/order/amount', tenant: 'header:X-T' },
      },
    },
    { path: '/y', policy: false },
    { path: '/z' },
  ];
  const { functions, policy: plan } = resolve({ policy, ...f({ routes }) });
  const [x, y, z] = functions[0]?.routes ?? [];
  assert.deepEqual(plan, {
    patterns: ['p'],
    dataFile: '/etc/mayfly/d.json',
    compiledFolder: null,
    opaUrl: null,
    entrypoints: ['serverless/allow', 'shop/orders/allow'],
  });
  assert.equal(x?.policy?.entrypoint, 'shop/orders/allow');
  assert.deepEqual(x?.policy?.mapping, [
    { path: ['tenant'], value: { from: 'header', name: 'x-t' } },
    { path: ['a', 'b'], value: { from: 'constant', value: '1' } },
    { path: ['order', 'amount'], value: { from: 'body', pointer: '/order/amount' } },
  ]);
  assert.equal(y?.policy, null);
  assert.equal(z?.policy?.entrypoint, 'serverless/allow');
  assert.equal(resolve({ policy: { opa_url: 'http://opa:8181/' } }).policy?.opaUrl, 'http://opa:8181');
});

test('decision log, metrics, logs and TLS as configured', () => {
  const decision_log = { enabled: true, sample: 0.5, mask: ['/user/email'] };
  assert.deepEqual(resolve({ policy: { decision_log } }).decisionLog, { sample: 0.5, mask: ['/user/email'] });
  assert.equal(resolve({ monitoring: { enabled: false } }).metrics, null);
  assert.deepEqual(resolve({ monitoring: { host: '::1' } }).metrics, { host: '::1', port: 9090 });
  assert.equal(resolve({ logging: { output: 'logs/m.log' } }).logging.output, '/etc/mayfly/logs/m.log');
  const tls = { certificate: 'c.pem', key: '/k.pem' };
  const secure = resolve({ server: { tls } });
  assert.equal(secure.listen, null);
  assert.deepEqual(secure.tls, {
    host: '0.0.0.0',
    port: 8080,
    certificateFile: '/etc/mayfly/c.pem',
    keyFile: '/k.pem',
  });
  const both = resolve({ server: { tls: { ...tls, port: 8443 } } });
  assert.deepEqual([both.listen?.port, both.tls?.port], [8080, 8443]);
});

test('settings from the admin API are settled like those of the file', () => {
  const { settle } = resolve({ function: { memory_limit: '2Mi' } });
  const settled = settle('pay', {
    env: { A: 'b' },
    cpu_limit: '200m',
    routes: [{ path: '/pay', host: 'Shop.Test' }],
  });
  assert.deepEqual(settled.configuration.env, { A: 'b' });
  assert.equal(settled.configuration.limits.memoryBytes, 2 * 2 ** 20);
  assert.equal(settled.configuration.limits.cpuMillicores, 200);
  assert.equal(settled.routes[0]?.host, 'shop.test');
  assert.equal(settle('pay', null).routes[1]?.path, '/pay/*');
});

test('a rollout: the defaults of its section, for one function or for all, or for all but one', () => {
  const plan = (input: object) => resolve(input).functions[0]?.rollout;
  const defaults = {
    steps: [5, 25, 50],
    intervalMs: 30_000,
    minRequests: 50,
    maxErrorRate: 0.01,
    maxP99Ms: null,
  };
  assert.equal(plan(f({})), null);
  assert.deepEqual(plan(f({ rollout: {} })), defaults);
  assert.deepEqual(plan({ function: { rollout: { max_p99: '200ms' } }, ...f({}) }), {
    ...defaults,
    maxP99Ms: 200,
  });
  assert.equal(plan({ function: { rollout: {} }, ...f({ rollout: false }) }), null);
  const own = { steps: [1, 99], interval: '1m', min_requests: 10, max_error_rate: '0.1%' };
  assert.deepEqual(plan({ function: { rollout: {} }, ...f({ rollout: own }) }), {
    steps: [1, 99],
    intervalMs: 60_000,
    minRequests: 10,
    maxErrorRate: 0.001,
    maxP99Ms: null,
  });
});

test('a canary: other code with a share that stays', () => {
  const [shop] = resolve(f({ canary: { source: 'next', weight: 5, max_p99: '200ms' } })).functions;
  assert.deepEqual(shop?.canary, {
    source: { type: 'path', path: '/etc/mayfly/next', build: null },
    weight: 5,
    maxP99Ms: 200,
  });
  assert.equal(resolve(f({})).functions[0]?.canary, null);
});

test('settings from the admin API are checked like those of the file', () => {
  const { settle } = resolve({});
  const refusal = (name: string, input: unknown) => {
    try {
      settle(name, input);
    } catch (error) {
      if (error instanceof ConfigError) return error.issues.map(formatIssue);
      throw error;
    }
    return [];
  };
  assert.deepEqual(refusal('pay', { routs: [], memory_limit: '64' }), [
    'request: functions.pay.memory_limit is too small. Found: "64". Allowed: a size in bytes such as 64Mi, 1Gi, 500k or 1024, from 64Ki to 4Gi.',
    'request: functions.pay.routs is not a known key. Did you mean routes? Allowed: upstream, source, build, canary, env, routes, max_concurrent_requests, request_timeout, memory_limit, cpu_limit, cpu_budget, max_request_body, max_response_body, queue_size, worker_timeout, rollout.',
  ]);
  assert.equal(refusal('../x', {}).length, 1);
  assert.equal(refusal('pay', 'text').length, 1);
  assert.equal(refusal('pay', []).length, 1);
  assert.equal(refusal('pay', { routes: [{ path: '/health' }] }).length, 1);
  assert.equal(refusal('pay', { routes: [{ path: '/x' }, { path: '/x' }] }).length, 1);
  assert.equal(refusal('pay', { routes: [{ path: '/x', auth: 'required' }] }).length, 1);
  assert.doesNotMatch(refusal('pay', { env: { K: 5551234 } }).join(), /5551234/);
});

test('route paths: what the router can match, in the one spelling that it matches', () => {
  const accepted = [
    '/',
    '/*',
    '/a',
    '/a/',
    '/a/*',
    '/a/b-c_d.e~f',
    '/a/%C3%BC',
    '/.well-known/x',
    '/a..b',
    '/...',
  ];
  const refused = [
    '',
    'a',
    '//',
    '/a//b',
    '/a*',
    '/*/a',
    '/a/**',
    '/.',
    '/..',
    '/a/../b',
    '/a/./b',
    '/a?b',
    '/a#b',
    '/a b',
    '/%c3',
    '/%',
    '/%2',
    '/\u00fc',
    '/a\n',
    '/a\\b',
  ];
  assert.deepEqual(
    accepted.filter((path) => !routed(path)),
    [],
  );
  assert.deepEqual(refused.filter(routed), []);
});

test('the store of a fleet: where it is, and whether by TLS', () => {
  const at = (store: string) => {
    const { fleet } = resolve({ fleet: { store } });
    return fleet === null ? null : [fleet.host, fleet.port, fleet.secure];
  };
  assert.equal(resolve({}).fleet, null);
  assert.deepEqual(at('valkey://store'), ['store', 6379, false]);
  assert.deepEqual(at('rediss://store.example:7000/'), ['store.example', 7000, true]);
  assert.deepEqual(at('valkeys://[::1]:6380'), ['::1', 6380, true]);
  for (const bad of ['store:6379', 'redis://user:secret@store', 'http://store', 'redis://store/3'])
    assert.equal(schema.safeParse({ fleet: { store: bad } }).success, false, bad);
});
