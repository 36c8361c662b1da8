/** The shop's file: every key of it acts. One platform per group of keys; each test names the key it shows. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { issueToken } from '../../src/tokens/issue.ts';
import { FREE_PORTS, startTestPlatform } from '../support/platform.ts';

const SECRET = 'a-secret-of-at-least-thirty-two-bytes';
const FUNCTIONS = `
functions:
  hostile: { source: hostile.wasm, routes: [{ path: /* }] }
`;

async function status(url: string, path: string, init: RequestInit = {}): Promise<number> {
  const response = await fetch(url + path, init);
  await response.arrayBuffer();
  return response.status;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) {
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

/** A connection that has sent a part of a request, and all that came back when it was closed. */
function openSlow(port: number) {
  const socket = connect(port, '127.0.0.1');
  const received: string[] = [];
  socket.on('data', (bytes) => received.push(bytes.toString()));
  socket.on('error', () => undefined);
  const closed = new Promise<string>((resolve) => {
    socket.on('close', () => resolve(received.join('')));
  });
  socket.write('GET /c HTTP/1.1\r\nhost: x\r\n');
  return { socket, closed };
}

test('server.timeout: a request that does not arrive completely is 408', async () => {
  await using server = await startTestPlatform(`
server: { port: 0, host: 127.0.0.1, threads: 2, timeout: 1s }
monitoring: { enabled: false }
admin: { port: 0 }
${FUNCTIONS}`);
  const { closed } = openSlow(Number(new URL(server.url).port));
  assert.match(await closed, /^HTTP\/1\.1 408 /);
});

test('server.max_connections: one more is answered 503 and closed', async () => {
  await using server = await startTestPlatform(`
server: { port: 0, host: 127.0.0.1, threads: 2, max_connections: 3 }
monitoring: { enabled: false }
admin: { port: 0 }
${FUNCTIONS}`);
  const port = Number(new URL(server.url).port);
  const held = [openSlow(port), openSlow(port), openSlow(port)];
  const answer = await Promise.race([...held, openSlow(port)].map(({ closed }) => closed));
  assert.match(answer, /^HTTP\/1\.1 503 /);
  for (const { socket } of held) socket.destroy();
  await until(async () => (await status(server.url, '/c')) === 200);
});

test('function.cpu_limit with function.request_timeout: 5 thousandths of a core for 20 s are 100 ms of CPU', async () => {
  await using server = await startTestPlatform(`${FREE_PORTS}
function: { cpu_limit: 5m, request_timeout: 20s }
${FUNCTIONS}`);
  assert.equal(await status(server.url, '/l'), 504);
  const metrics = await (await fetch(`${server.platform.addresses.metrics}/metrics`)).text();
  const cpu = Number(
    /^mayfly_function_cpu_seconds_total\{function="hostile"\} (\S+)/m.exec(metrics)?.[1] ?? metrics,
  );
  assert.ok(cpu >= 0.08 && cpu < 5, `used ${cpu} s`);
  assert.match(metrics, /^mayfly_traps_total\{function="hostile",cause="cpu"\} 1$/m);
});

test('rate_limit.requests_per_second, burst_size, window_size', async () => {
  await using server = await startTestPlatform(`${FREE_PORTS}
rate_limit: { requests_per_second: 0.01, burst_size: 3, window_size: 30s }
${FUNCTIONS}`);
  for (let i = 0; i < 3; i++) assert.equal(await status(server.url, '/c'), 200);
  const refused = await fetch(`${server.url}/c`);
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get('ratelimit-policy'), '"default";q=3;w=30');
  const wait = Number(refused.headers.get('retry-after'));
  assert.ok(wait > 90 && wait <= 100, `a request comes back every 100 s, not ${wait}`);
});

test('security.rate_limit_enabled: false switches the limit off', async () => {
  await using server = await startTestPlatform(`${FREE_PORTS}
rate_limit: { requests_per_second: 0.01, burst_size: 1 }
security: { rate_limit_enabled: false }
${FUNCTIONS}`);
  for (let i = 0; i < 5; i++) {
    const response = await fetch(`${server.url}/c`);
    assert.deepEqual([response.status, response.headers.get('ratelimit')], [200, null]);
  }
});

test('security.jwt_secret and token_expiry: no token, a wrong one and one issued too long ago are 401', async () => {
  await using server = await startTestPlatform(`${FREE_PORTS}
security: { jwt_secret: ${SECRET}, token_expiry: 60s }
${FUNCTIONS}`);
  const secret = Buffer.from(SECRET);
  const ask = async (token: string | null) => {
    const response = await fetch(
      `${server.url}/c`,
      token === null ? {} : { headers: { authorization: `Bearer ${token}` } },
    );
    await response.arrayBuffer();
    return [response.status, response.headers.get('www-authenticate') ?? ''] as const;
  };
  assert.deepEqual(await ask(null), [401, 'Bearer realm="mayfly"']);
  assert.equal((await ask(await issueToken(secret, { sub: 'u' }, 60)))[0], 200);
  assert.equal(
    (await ask(await issueToken(Buffer.from('another secret of thirty-two bytes!!'), { sub: 'u' }, 60)))[0],
    401,
  );
  const { SignJWT } = await import('jose');
  const now = Math.floor(Date.now() / 1000);
  const old = await new SignJWT({ sub: 'u', iat: now - 3600, exp: now + 3600 })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(secret);
  const [code, challenge] = await ask(old);
  assert.equal(code, 401);
  assert.match(challenge, /error="invalid_token".*too long ago/);
});

test('concurrency.max_workers bounds the live instances; the rest takes turns', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `f${index}`);
  await using server = await startTestPlatform(`
server: { port: 0, host: 127.0.0.1, threads: 1 }
monitoring: { metrics_port: 0, host: 127.0.0.1 }
admin: { port: 0 }
concurrency: { max_workers: 10 }
security: { rate_limit_enabled: false }
functions:
${names.map((name) => `  ${name}: { source: hostile.wasm, routes: [{ path: /c${name} }] }`).join('\n')}
`);
  for (let round = 0; round < 2; round++) {
    for (const name of names) assert.equal(await status(server.url, `/c${name}`), 200);
  }
  const metrics = await (await fetch(`${server.platform.addresses.metrics}/metrics`)).text();
  const live = Number(/^mayfly_instances (\d+)/m.exec(metrics)?.[1]);
  assert.ok(live > 0 && live <= 10, `${live} instances`);
});

test('connections, instances and refused requests show in the metrics', async () => {
  await using server = await startTestPlatform(`${FREE_PORTS}${FUNCTIONS}`);
  assert.equal(await status(server.url, '/c'), 200);
  const metrics = async () => (await fetch(`${server.platform.addresses.metrics}/metrics`)).text();
  await until(async () => /^mayfly_connections_accepted_total [1-9]/m.test(await metrics()));
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  socket.write('GET / HTTP/1.1\nhost: x\n\n');
  await until(async () => /^mayfly_http_rejections_total\{problem="bad-request"\} 1$/m.test(await metrics()));
  assert.match(await metrics(), /^mayfly_instances [1-9]/m);
  assert.match(await metrics(), /^mayfly_requests_total\{function="hostile",code="200"\} 1$/m);
  assert.match(await metrics(), /^mayfly_restores_total\{function="hostile"\} [1-9]/m);
});

test('logging.level, format and output; monitoring.enabled: false', async () => {
  await using server = await startTestPlatform(`
server: { port: 0, host: 127.0.0.1, threads: 1 }
monitoring: { enabled: false }
admin: { port: 0 }
${FUNCTIONS}`);
  assert.equal(server.platform.addresses.metrics, null);
  await status(server.url, '/d');
  await until(() => readFileSync(server.log, 'utf8').includes('a line of the guest'));
  const line =
    readFileSync(server.log, 'utf8')
      .split('\n')
      .find((text) => text.includes('a line of the guest')) ?? '';
  const record = JSON.parse(line) as Record<string, unknown>;
  assert.equal(record['level'], 'info');
  assert.equal(record['function'], 'hostile');
  assert.equal(record['revision'], 'hostile-1');
  assert.match(String(record['request_id']), /^[0-9a-f]{12}-/);
});
