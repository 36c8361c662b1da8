import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { ConfigError, formatIssue } from './issues.ts';
import { checkConfig, checkText, loadConfig } from './load.ts';

const folder = mkdtempSync(join(tmpdir(), 'mayfly-config-'));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'f.wasm'), '');
writeFileSync(join(folder, 'p.rego'), 'package p');

const SHOP = `server: { port: 8080, host: "0.0.0.0", timeout: 30s, max_connections: 10000 }
function: { max_concurrent_requests: 1000, request_timeout: 30s, memory_limit: 64Mi, cpu_limit: 100m }
rate_limit: { requests_per_second: 100, burst_size: 200, window_size: 60s }
concurrency: { max_workers: 1000, queue_size: 10000, worker_timeout: 30s }
logging: { level: "info", format: "json", output: "stdout" }
monitoring: { enabled: true, metrics_port: 9090, health_check_interval: 10s }
security: { jwt_secret: "\${JWT_SECRET}", token_expiry: 3600s, rate_limit_enabled: true }
`;
const SHORT = `server:
  port: 8080
  host: "0.0.0.0"
  timeout: 30s
function:
  max_concurrent_requests: 1000
  request_timeout: 30s
rate_limit:
  requests_per_second: 100
  burst_size: 200
`;
const SECRET = 'a secret of thirty-two bytes or so';

function check(text: string, env: Record<string, string> = {}) {
  return checkText({ file: 'mayfly.yaml', directory: folder, text, env });
}

function settingsOf(text: string, env: Record<string, string> = {}) {
  const { config, issues } = check(text, env);
  assert.deepEqual(issues, []);
  assert.ok(config !== null);
  return config.settings;
}

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

test("the shop's file loads unchanged", () => {
  const { settings } = loadConfig(write('shop/mayfly.yaml', SHOP), { JWT_SECRET: SECRET });
  assert.deepEqual(settings.server, {
    port: 8080,
    host: '0.0.0.0',
    timeout: 30_000,
    max_connections: 10_000,
    max_header_size: 16_384,
    max_headers: 100,
    drain_delay: 0,
  });
  assert.equal(settings.function.memory_limit, 64 * 2 ** 20);
  assert.equal(settings.function.cpu_limit, 100);
  assert.equal(settings.rate_limit.window_size, 60_000);
  assert.equal(settings.concurrency.worker_timeout, 30_000);
  assert.equal(settings.monitoring.health_check_interval, 10_000);
  assert.equal(settings.security.jwt_secret, SECRET);
  assert.equal(settings.security.token_expiry, 3_600_000);
});

test("the shop's short file loads unchanged and means the same as the long one without its secret", () => {
  const { jwt_secret: _, ...security } = settingsOf(SHOP, { JWT_SECRET: SECRET }).security;
  const long = { ...settingsOf(SHOP, { JWT_SECRET: SECRET }), security };
  assert.deepEqual(settingsOf(SHORT), long);
});

test('an empty file, and sections whose keys are commented out, mean the defaults', () => {
  assert.deepEqual(settingsOf(''), settingsOf(SHORT));
  assert.deepEqual(settingsOf('server:\n  # port: 1\nfunctions:\n'), settingsOf(SHORT));
});

const broken: { name: string; text: string; env?: Record<string, string>; expected: string[] }[] = [
  {
    name: 'an unknown key names the nearest one',
    text: 'server:\n  prot: 80\n',
    expected: [
      'mayfly.yaml:2:3: server.prot is not a known key. Did you mean port? Allowed: port, host, timeout, max_connections, max_header_size, max_headers, threads, drain_delay, tls.',
    ],
  },
  {
    name: 'a key in the wrong place names its section',
    text: 'burst_size: 3\n',
    expected: [
      'mayfly.yaml:1:1: burst_size is not a known key. Did you mean rate_limit.burst_size? Allowed: server, function, rate_limit, concurrency, logging, monitoring, security, policy, functions, demand, fleet, admin, state.',
    ],
  },
  {
    name: 'a duration without a unit',
    text: 'server: { timeout: 30 }\n',
    expected: [
      'mayfly.yaml:1:20: server.timeout needs a unit. Found: 30. Allowed: a duration such as 30s, 250ms, 5m or 1h30m, from 100ms to 1d.',
    ],
  },
  {
    name: 'a size with a wrong unit',
    text: 'function:\n  memory_limit: 64Mib\n',
    expected: [
      'mayfly.yaml:2:17: function.memory_limit is not a size. Found: "64Mib". Allowed: a size in bytes such as 64Mi, 1Gi, 500k or 1024, from 64Ki to 4Gi.',
    ],
  },
  {
    name: 'values out of range',
    text: 'server: { port: 65536, max_connections: 0 }\n',
    expected: [
      'mayfly.yaml:1:17: server.port is too large. Found: 65536. Allowed: a whole number from 0 to 65535.',
      'mayfly.yaml:1:41: server.max_connections is too small. Found: 0. Allowed: a whole number from 1 to 1000000.',
    ],
  },
  {
    name: 'a missing variable',
    text: SHOP,
    env: { JWT_SECRETS: 'x' },
    expected: [
      'mayfly.yaml:7:25: security.jwt_secret needs the environment variable JWT_SECRET, which is not set. Found: ${JWT_SECRET}. Did you mean ${JWT_SECRETS}? Allowed: ${JWT_SECRET} with JWT_SECRET set in the environment or in a .env file beside this one, or ${JWT_SECRET:-default}.',
    ],
  },
  {
    name: 'an empty secret lets nobody in',
    text: SHOP,
    env: { JWT_SECRET: '' },
    expected: ['mayfly.yaml:7:25: security.jwt_secret is empty. Allowed: a string that is not empty.'],
  },
  {
    name: 'a broken variable',
    text: 'logging: { output: "${1}" }\n',
    expected: [
      'mayfly.yaml:1:20: logging.output has a broken variable. Found: ${1}. Allowed: ${NAME}, ${NAME:-default}, or $${ for a literal ${.',
    ],
  },
  {
    name: 'a word of a choice',
    text: 'logging: { level: warning }\n',
    expected: [
      'mayfly.yaml:1:19: logging.level has a value that is not known. Found: "warning". Allowed: one of debug, info, warn, error.',
    ],
  },
  {
    name: 'an override from the environment',
    text: 'server: { port: 80 }\n',
    env: { PORT: 'http', LOG_LEVEL: 'inof' },
    expected: [
      'environment: server.port is not a whole number. Found: PORT="http". Allowed: a whole number from 0 to 65535.',
      'environment: logging.level has a value that is not known. Found: LOG_LEVEL="inof". Did you mean info? Allowed: one of debug, info, warn, error.',
    ],
  },
  {
    name: 'a duplicate key',
    text: 'server:\n  port: 1\n  port: 2\n',
    expected: ['mayfly.yaml:3:3: The file is not valid YAML: Map keys must be unique.'],
  },
  {
    name: 'a broken file',
    text: 'server: { port: 1\n',
    expected: [
      'mayfly.yaml:2:1: The file is not valid YAML: Flow map in block collection must be sufficiently indented and end with a }.',
    ],
  },
  {
    name: 'a file that is not a mapping',
    text: '- server\n',
    expected: ['mayfly.yaml:1:1: The file must be a mapping of sections such as server and functions.'],
  },
  {
    name: 'two ports that are the same',
    text: 'server: { port: 9090 }\nadmin: { port: 9090 }\n',
    expected: [
      'mayfly.yaml:1:1: monitoring.metrics_port is the same port as server.port. Allowed: a port of its own.',
      'mayfly.yaml:2:16: admin.port is the same port as server.port. Found: 9090. Allowed: a port of its own.',
    ],
  },
  {
    name: 'a bad function name',
    text: 'functions:\n  Hello: { source: f.wasm }\n',
    expected: [
      'mayfly.yaml:2:3: functions.Hello is not a valid name. Allowed: a function name: 1 to 63 of a-z, 0-9 and -, not beginning or ending with -.',
    ],
  },
  {
    name: 'a function without code, one with code here and elsewhere',
    text: `functions:
  a: {}
  b: { upstream: { url: 'http://b.shop.svc' }, source: f.wasm, env: { A: b } }
`,
    expected: [
      'mayfly.yaml:2:3: functions.a has no code. Allowed: source, where its code is, or upstream, where it runs.',
      'mayfly.yaml:3:48: functions.b.source stands beside upstream. Allowed: one of the two: what runs elsewhere is deployed and configured there.',
      'mayfly.yaml:3:64: functions.b.env stands beside upstream. Allowed: one of the two: what runs elsewhere is deployed and configured there.',
    ],
  },
  {
    name: 'an upstream with a path, and pods without a namespace',
    text: "functions:\n  a: { upstream: { url: 'http://a.svc/path', pods: orders } }\n",
    expected: [
      'mayfly.yaml:2:25: functions.a.upstream.url is not an address without a path. Found: "http://a.svc/path". Allowed: an address without a path, such as http://orders.shop.svc:80.',
      'mayfly.yaml:2:52: functions.a.upstream.pods is not NAMESPACE/NAME of a Function in the cluster. Found: "orders". Allowed: NAMESPACE/NAME of a Function in the cluster, such as shop/orders.',
    ],
  },
  {
    name: 'words that are none of the allowed ones, and examples within what is allowed',
    text: 'rate_limit: { key: [users] }\nfleet: { store: http://x }\n',
    expected: [
      'mayfly.yaml:1:21: rate_limit.key[0] is not one of those allowed. Found: "users". Allowed: one of function, user, ip, header:NAME, claim:NAME.',
      'mayfly.yaml:2:17: fleet.store is not an address. Found: "http://x". Allowed: an address such as valkey://valkey:6379, or valkeys:// with TLS; without a password.',
    ],
  },
  {
    name: 'a source that does not exist',
    text: 'functions:\n  a: { source: nowhere.wasm }\npolicy: { files: ["*.reg"] }\n',
    expected: [
      'mayfly.yaml:2:16: functions.a.source names a file that does not exist. Found: "nowhere.wasm".',
      'mayfly.yaml:3:19: policy.files[0] names no .rego file that exists. Found: "*.reg".',
    ],
  },
  {
    name: 'routes: bad path, unknown method, duplicates, the paths of the gateway',
    text: `functions:
  a:
    source: f.wasm
    routes: [{ path: a/b }, { path: /a, methods: [get] }]
`,
    expected: [
      'mayfly.yaml:4:22: functions.a.routes[0].path is not a route path. Found: "a/b". Allowed: a route path: /exact/path, or /prefix/* for everything below /prefix/.',
      'mayfly.yaml:4:51: functions.a.routes[1].methods[0] has a value that is not known. Found: "get". Did you mean GET? Allowed: one of GET, POST, PUT, DELETE, PATCH, HEAD, OPTIONS.',
    ],
  },
  {
    name: 'routes that two functions want, and those of the gateway',
    text: `functions:
  a: { source: f.wasm, routes: [{ path: /x, methods: [GET, POST] }, { path: /health }] }
  b: { source: f.wasm, routes: [{ path: /x, methods: [POST] }] }
`,
    expected: [
      'mayfly.yaml:2:77: functions.a.routes[1].path is answered by the gateway itself. Found: "/health". Allowed: any path but /health and /ready.',
      'mayfly.yaml:3:33: functions.b.routes[0] answers the same requests as a route of a (GET, POST /x). Allowed: another path, host or method.',
    ],
  },
  {
    name: 'a route that demands a token which nothing can verify, and a policy that is not there',
    text: 'functions:\n  a: { source: f.wasm, routes: [{ path: /x, auth: required, policy: { rule: data.p.allow } }] }\n',
    expected: [
      'mayfly.yaml:2:51: functions.a.routes[0].auth needs something to verify tokens with, and there is none. Found: "required". Allowed: security.jwt_secret, jwt_secret_file, jwks_file or jwks_url beside it, or public.',
      'mayfly.yaml:2:61: functions.a.routes[0].policy names a policy, but there is none. Allowed: policy.files or policy.opa_url beside it.',
    ],
  },
  {
    name: 'a policy in two places, a rule without data, input that a client could forge',
    text: 'policy: { files: [p.rego], opa_url: "http://127.0.0.1:8181", input: { user.role: "header:role", a: "=1", a.b: "=2" } }\n',
    expected: [
      'mayfly.yaml:1:37: policy.opa_url stands beside policy.files. Found: "http://127.0.0.1:8181". Allowed: one of the two: decide here, or ask a running OPA.',
      'mayfly.yaml:1:71: policy.input.user.role is a field that the gateway fills in. Allowed: any field but method, path, query, user, rate_limit, function, request.',
      'mayfly.yaml:1:97: policy.input.a is a value, but a.b needs it to be an object.',
    ],
  },
  {
    name: 'rollouts that cannot be',
    text: `functions:
  a: { source: f.wasm, rollout: { steps: [5, 5] } }
  b: { source: f.wasm, rollout: {}, canary: { source: f.wasm, weight: 5 } }
  c: { source: f.wasm, canary: { source: "oci://registry.example.com/c:1", weight: 5 } }
  d: { source: f.wasm, canary: { source: no.wasm, weight: 5 } }
`,
    expected: [
      'mayfly.yaml:2:42: functions.a.rollout.steps does not go up. Found: a list. Allowed: percentages from small to large, such as [5, 25, 50].',
      'mayfly.yaml:3:37: functions.b.canary stands beside rollout. Allowed: one of the two: a share that stays, or one that grows by itself.',
      'mayfly.yaml:4:42: functions.c.canary.source names an image, but not by its digest. Found: "oci://registry.example.com/c:1". Allowed: oci://HOST/REPOSITORY@sha256:…, as `mayfly image inspect` shows it.',
      'mayfly.yaml:5:42: functions.d.canary.source names a file that does not exist. Found: "no.wasm".',
    ],
  },
  {
    name: 'rollouts beyond their bounds',
    text: 'function: { rollout: { max_error_rate: 1, interval: 1ms, steps: [] } }\n',
    expected: [
      'mayfly.yaml:1:40: function.rollout.max_error_rate needs a %. Found: 1. Allowed: a share such as 1% or 0.5%, from 0.01% to 100%.',
      'mayfly.yaml:1:53: function.rollout.interval is too small. Found: "1ms". Allowed: a duration such as 30s, 250ms, 5m or 1h30m, from 100ms to 1d.',
      'mayfly.yaml:1:65: function.rollout.steps is empty. Found: a list. Allowed: a list of percentages from 1 to 99.',
    ],
  },
  {
    name: 'a mapping where a value belongs, and the reverse',
    text: 'server: 8080\nlogging: { level: { is: info } }\nrate_limit: { key: user }\n',
    expected: [
      'mayfly.yaml:1:9: server has the wrong type. Found: 8080. Allowed: a mapping with port, host, timeout, max_connections, max_header_size, max_headers, threads, drain_delay, tls.',
      'mayfly.yaml:2:19: logging.level has a value that is not known. Found: a mapping. Allowed: one of debug, info, warn, error.',
      'mayfly.yaml:3:20: rate_limit.key has the wrong type. Found: "user". Allowed: a list of function, user, ip, header:NAME, claim:NAME.',
    ],
  },
];

for (const { name, text, env, expected } of broken) {
  test(`error: ${name}`, () => {
    const { config, issues } = check(text, env);
    assert.equal(config, null);
    assert.deepEqual(issues.map(formatIssue), expected);
  });
}

test('variables: values, defaults, escapes; a number and a switch may come from one', () => {
  const text =
    'server: { port: "${P}", host: "${H:-127.0.0.1}" }\nmonitoring: { enabled: "${M}" }\nlogging: { output: "a$${x}${E:-}b" }\n';
  const settings = settingsOf(text, { P: '81', M: 'false' });
  assert.equal(settings.server.port, 81);
  assert.equal(settings.server.host, '127.0.0.1');
  assert.equal(settings.monitoring.enabled, false);
  assert.equal(settings.logging.output, 'a${x}b');
});

test('what a variable holds cannot add keys, and is not looked through for variables', () => {
  const settings = settingsOf('security: { issuer: "${A}" }\n', { A: 'x", audience: "y ${B}\n# z' });
  assert.equal(settings.security.issuer, 'x", audience: "y ${B}\n# z');
  assert.equal(settings.security.audience, undefined);
});

test('PORT and LOG_LEVEL override the file', () => {
  const settings = settingsOf(SHORT, { PORT: '3000', LOG_LEVEL: 'debug' });
  assert.equal(settings.server.port, 3000);
  assert.equal(settings.logging.level, 'debug');
});

test('a .env file beside the configuration is read; the real environment wins', () => {
  const path = write('dotenv/mayfly.yaml', 'security: { issuer: "${A}", audience: "${B}" }\n');
  write('dotenv/.env', 'A=from file\nB="quoted"\n');
  const { settings } = loadConfig(path, { A: 'from environment' });
  assert.equal(settings.security.issuer, 'from environment');
  assert.equal(settings.security.audience, 'quoted');
});

test('a folder means the mayfly.yaml or mayfly.yml in it', () => {
  write('yaml/mayfly.yaml', 'server: { port: 1 }');
  write('yml/mayfly.yml', 'server: { port: 2 }');
  assert.equal(loadConfig(join(folder, 'yaml'), {}).settings.server.port, 1);
  assert.equal(loadConfig(join(folder, 'yml'), {}).settings.server.port, 2);
});

test('a file that is not there is one clear sentence', () => {
  const path = join(folder, 'missing.yaml');
  assert.throws(
    () => loadConfig(path, {}),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.exitCode, 2);
      assert.equal(
        error.message,
        `Cannot use the configuration: one problem (${path}). \n  ${path}: The file does not exist (\`mayfly init\` makes one).`,
      );
      return true;
    },
  );
});

test('no secret is ever in an error', () => {
  const { issues } = check(
    'security: { jwt_secret: 123456789, issuer: ["${S}"], audience: { a: "${S}" } }\nserver: { timeout: "${S}" }\nfunctions: { a: { source: f.wasm, env: { K: 123456789 } } }\n',
    { S: 'hunter2' },
  );
  assert.equal(issues.length, 5);
  assert.doesNotMatch(issues.map(formatIssue).join('\n'), /hunter2|123456789/);
});

test('files made to exhaust the reader are refused', () => {
  const bombs = {
    depth: '['.repeat(100_000),
    sequences: '- '.repeat(50_000),
    keys: '? '.repeat(50_000),
    size: `# ${'x'.repeat(1100 * 1024)}`,
    aliases: `a: &a [x]\n${Array.from({ length: 12 }, (_, i) => `k${i}: &k${i} [${Array(9).fill(i === 0 ? '*a' : `*k${i - 1}`)}]`).join('\n')}`,
    cycle: 'server: &a { port: *a }',
    indentation: Array.from({ length: 200 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
  };
  for (const [name, text] of Object.entries(bombs)) {
    assert.equal(check(text).config, null, name);
  }
});

test('paths that the operating system refuses are issues like any other', () => {
  for (const path of ['"\\0f.wasm"', 'x'.repeat(5000), 'f.wasm/x']) {
    const { issues } = check(`functions: { a: { source: ${path} } }\npolicy: { files: [${path}] }\n`);
    assert.deepEqual(
      issues.map(({ key }) => key),
      ['functions.a.source', 'policy.files[0]'],
    );
  }
  assert.equal(check('logging: { output: "a\\0b" }\n').issues[0]?.message, 'is empty or has a NUL in it');
});

test('prototype names are keys like any other: refused', () => {
  const { issues } = check('__proto__: { port: 1 }\nserver: { constructor: 2 }\n');
  assert.deepEqual(
    issues.map(({ key }) => key),
    ['__proto__', 'server.constructor'],
  );
});

test('fuzz: whatever the file, it loads or says what is wrong; nothing else is thrown', () => {
  const valid = `${SHOP}policy: { files: [p.rego], input: { a.b: "body:/x" } }\nfunctions:\n  a:\n    source: f.wasm\n    env: { K: v }\n    routes:\n      - { path: /a, methods: [GET], rate_limit: false, policy: { rule: data.p.allow } }\n`;
  const pieces = fc.constantFrom(
    '${',
    '}',
    ': ',
    '\n',
    '- ',
    '[',
    ']',
    '{',
    '}',
    '&a ',
    '*a',
    '!!x ',
    '"',
    '|\n',
    '\t',
    '\0',
    '? ',
    '<<: ',
    'null',
    '---\n',
    '%',
    '\u2028',
    '1e999',
    '__proto__',
  );
  const mutation = fc.tuple(
    fc.nat({ max: valid.length }),
    fc.nat({ max: 12 }),
    fc.oneof(pieces, fc.string({ maxLength: 4 })),
  );
  const mutated = fc.array(mutation, { minLength: 1, maxLength: 6 }).map((mutations) => {
    let text = valid;
    for (const [at, drop, insert] of mutations) text = text.slice(0, at) + insert + text.slice(at + drop);
    return text;
  });
  const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value));
  const soup = fc
    .array(fc.oneof(pieces, fc.constantFrom('server', 'functions', 'a')))
    .map((list) => list.join(''));
  fc.assert(
    fc.property(fc.oneof(mutated, json, soup, fc.string()), (text) => {
      const { config, issues } = check(text, { JWT_SECRET: SECRET });
      assert.equal(config === null, issues.length > 0);
      for (const issue of issues) assert.ok(formatIssue(issue).startsWith('mayfly.yaml'));
    }),
    { numRuns: 3000 },
  );
});

test('checkConfig answers what loadConfig throws', () => {
  const path = write('bad/mayfly.yaml', 'server: { prot: 1 }');
  const { issues } = checkConfig(path, {});
  assert.deepEqual(issues, [
    {
      file: path,
      line: 1,
      column: 11,
      key: 'server.prot',
      message: 'is not a known key',
      found: null,
      allowed:
        'port, host, timeout, max_connections, max_header_size, max_headers, threads, drain_delay, tls',
      suggestion: 'port',
    },
  ]);
  assert.throws(() => loadConfig(path, {}), { issues });
});
