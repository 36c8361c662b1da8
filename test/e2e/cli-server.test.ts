/** A server process and the commands that speak to it, as a person would use them. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { mayfly, mayflyJson, startServer, type ServerProcess } from '../support/cli.ts';
import { makeTestFolder, type TestFolder } from '../support/folder.ts';
import { FREE_PORTS } from '../support/platform.ts';
import { assemble } from '../support/wat.ts';

const GUEST = join(import.meta.dirname, '../fixtures/hostile/guest.wat');
const CONFIG = `${FREE_PORTS}
security: { jwt_secret_file: secret, rate_limit_enabled: false }
functions:
  own: { source: guest.wasm, routes: [{ path: /x, auth: public }, { path: /k }] }
`;

let folder: TestFolder;
let env: Record<string, string>;
before(async () => {
  folder = makeTestFolder({ 'mayfly.yaml': CONFIG });
  env = { XDG_STATE_HOME: join(folder.path, 'user-state') };
  await assemble(GUEST, join(folder.path, 'guest.wasm'));
});
after(() => folder[Symbol.dispose]());

const serve = () => startServer(['serve', folder.path], { env });
/** Client commands are typed elsewhere: they find the server by the note that it left. */
const client = (...args: string[]) => mayfly(args, { env, cwd: join(folder.path, '..') });
const notes = () => {
  const place = join(env['XDG_STATE_HOME'] as string, 'mayfly');
  return existsSync(place) ? readdirSync(place) : [];
};

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

async function text(server: ServerProcess, path: string): Promise<string> {
  return (await fetch(server.overview.addresses.gateway + path)).text();
}

test('deploy, list, invoke, promote, roll back, logs, remove, and a gentle end', async () => {
  await using server = await serve();
  const [note] = notes();
  assert.match(note as string, /^\d+\.json$/);
  assert.equal(statSync(join(env['XDG_STATE_HOME'] as string, 'mayfly', note as string)).mode & 0o777, 0o600);

  const wasm = join(folder.path, 'guest.wasm');
  const settings = folder.write('settings.yaml', 'routes: [{ path: /api/*, auth: public }]\n');
  const deployed = await client('deploy', 'api', wasm, '--settings', settings, '--env', 'GREETING=hello');
  assert.deepEqual([deployed.code, deployed.err], [0, '']);
  assert.match(deployed.out, /^ok api: revision 1 deployed \(handler, /);

  const { functions } = JSON.parse((await client('list', '--json')).out) as { functions: { name: string }[] };
  assert.deepEqual(
    functions.map(({ name }) => name),
    ['api', 'own'],
  );
  assert.match((await client('list')).out, /api +\* \/api\/\* +handler/);

  const invoked = await client('invoke', 'api', '--path', '/api/');
  assert.deepEqual([invoked.code, invoked.out], [0, '0000']);
  assert.match(invoked.err, /^200 in /);
  const document = JSON.parse((await client('invoke', 'api', '--path', '/api/', '--json')).out) as object;
  assert.deepEqual(Object.keys(document), ['status', 'headers', 'body', 'encoding', 'milliseconds']);
  const refused = await client('invoke', 'own', '--path', '/k');
  assert.equal(refused.code, 1, 'an answer of 401 is a failure');
  assert.match(refused.err, /^401 in /);

  assert.match((await client('inspect', 'api')).out, /env +GREETING\n/);
  const second = await client('deploy', 'api', wasm, '--settings', settings, '--percent', '0');
  assert.match(second.out, /revision 2 deployed .* revision 1: 100 %/);
  assert.match((await client('promote', 'api', '2', '100')).out, /^ok revision 2: 100 %/);
  assert.match((await client('rollback', 'api')).out, /^ok revision 1: 100 %/);

  assert.deepEqual((await client('logs', 'api')).out, '');
  await text(server, '/x');
  const status = JSON.parse((await client('status', '--json')).out) as { functions: number };
  assert.equal(status.functions, 2);
  assert.match((await client('status')).out, /front 0 +ready/);

  const owned = await client('remove', 'own');
  assert.equal(owned.code, 1);
  assert.match(owned.err, /the file owns it/);
  assert.equal((await client('remove', 'api')).code, 0);
  const gone = await client('inspect', 'api', '--json');
  assert.equal(gone.code, 1);
  assert.equal((JSON.parse(gone.out) as { error: { code: string } }).error.code, 'no-such-function');

  server.signal('SIGTERM');
  assert.equal(await server.ended, 0);
  assert.deepEqual(notes(), [], 'its note is gone');
});

test('logs: what a function said, also while it goes on', async () => {
  await using server = await serve();
  await fetch(`${server.overview.addresses.gateway}/x`);
  const settings = folder.write('settings.yaml', 'routes: [{ path: /*, auth: public }]\n');
  assert.equal(
    (await client('deploy', 'talker', join(folder.path, 'guest.wasm'), '--settings', settings)).code,
    0,
  );
  await fetch(`${server.overview.addresses.gateway}/d`);
  await server.says('a line of the guest');
  const { out } = await client('logs', 'talker', '--lines', '2');
  assert.equal(out.match(/info {2}a line of the guest/g)?.length, 2);
  const [line] = (await client('logs', 'talker', '--lines', '1', '--json')).out.split('\n');
  const { message, revision } = JSON.parse(line as string) as Record<string, string>;
  assert.deepEqual([message, revision], ['a line of the guest', 'talker-1']);
  assert.equal((await client('remove', 'talker')).code, 0);
  server.signal('SIGINT');
  assert.equal(await server.ended, 0);
});

async function statusLineOf(commandLine: string | null): Promise<string | undefined> {
  return (await promisify(execFile)('sh', ['-c', `${commandLine} -s`])).stdout.split('\r\n')[0];
}

test('the requests to try work as they are printed', async () => {
  folder.write(
    'demo.json',
    JSON.stringify({
      allowed: { method: 'POST', path: '/k', claims: { sub: "o'neil" }, body: { a: "it's" } },
      denied: { path: '/k' },
    }),
  );
  await using server = await serve();
  rmSync(join(folder.path, 'demo.json'));
  const { allowed, denied } = server.overview.try;
  assert.equal(await statusLineOf(allowed), 'HTTP/1.1 200 OK');
  assert.equal(await statusLineOf(denied), 'HTTP/1.1 401 Unauthorized');
});

test('a second Ctrl-C ends a server that still waits for a client', async () => {
  await using server = await serve();
  const { port } = new URL(server.overview.addresses.gateway);
  const slow = connect(Number(port), '127.0.0.1');
  await once(slow, 'connect');
  slow.on('error', () => {});
  slow.write('POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
  // The answer shows that the request is in flight.
  await once(slow, 'data');
  server.signal('SIGINT');
  await server.says('finishing what is in flight');
  server.signal('SIGINT');
  assert.equal(await server.ended, 130);
  assert.deepEqual(notes(), []);
  slow.destroy();
});

test('SIGHUP: a bad file leaves the old one running and says so; the log file is opened anew', async () => {
  const log = join(folder.path, 'server.log');
  const config = `${CONFIG}logging: { output: server.log }\n`;
  folder.write('mayfly.yaml', config);
  try {
    await using server = await serve();
    folder.write('mayfly.yaml', `${config}sever: {}\n`);
    renameSync(log, `${log}.1`);
    server.signal('SIGHUP');
    const refused = await mayfly(['reload'], { env, cwd: '/' });
    assert.equal(refused.code, 2);
    assert.match(refused.err, /the old one stays in force[^]*sever[^]*Did you mean server\?/);
    assert.equal(await text(server, '/x'), '0000');
    assert.ok(existsSync(log), 'the log went on in a new file');

    folder.write('mayfly.yaml', config.replace('path: /x', 'path: /y'));
    assert.equal((await mayfly(['reload'], { env, cwd: '/' })).code, 0);
    assert.equal(await text(server, '/y'), '0000');
  } finally {
    writeFileSync(join(folder.path, 'mayfly.yaml'), CONFIG);
  }
});

test('a port in use is one sentence and exit code 1', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as { port: number };
  const { code, out, err } = await mayfly(['serve', folder.path, '--port', String(port)], { env });
  holder.close();
  assert.deepEqual([code, out], [1, '']);
  assert.match(
    err,
    new RegExp(`^error Cannot listen: the port is in use \\(127\\.0\\.0\\.1:${port}, server\\.port\\)`),
  );
});

test('no server, a server elsewhere, a wrong token', async () => {
  const none = await mayfly(['list'], { env, cwd: '/' });
  assert.deepEqual([none.code, none.err.startsWith('error No Mayfly is running here')], [1, true]);
  const refused = await mayfly(['list', '--admin', `http://127.0.0.1:${await unusedPort()}`], {
    env: { ...env, MAYFLY_ADMIN_TOKEN: 'x' },
  });
  assert.deepEqual([refused.code, refused.err.startsWith('error No Mayfly is running there')], [1, true]);
  assert.equal((await mayfly(['list', '--admin', 'nonsense'], { env })).code, 2);

  await using server = await serve();
  const { admin } = server.overview.addresses;
  const wrong = await mayfly(['list'], { env: { MAYFLY_ADMIN: admin, MAYFLY_ADMIN_TOKEN: 'wrong' } });
  assert.deepEqual([wrong.code, /does not take this token/.test(wrong.err)], [1, true]);
  assert.ok(!wrong.err.includes('wrong'), 'the token is not repeated');
  const tokenFile = join(folder.path, '.mayfly/admin-token');
  const found = await mayflyJson<{ functions: object[] }>([
    'list',
    '--admin',
    admin,
    '--token-file',
    tokenFile,
  ]);
  assert.equal(found.functions.length, 1);
});
