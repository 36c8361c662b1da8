/** Commands that need no server: help, exit codes, JSON, errors. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Command } from 'commander';
import { decodeJwt } from 'jose';
import { examplesOf } from '../../src/cli/define.ts';
import { createProgram } from '../../src/cli/program.ts';
import { mayfly, mayflyJson } from '../support/cli.ts';
import { makeTestFolder } from '../support/folder.ts';

const silent = { write: () => {} };
const program = createProgram({ terminal: { out: silent, err: silent, env: {}, json: false }, exitCode: 0 });

function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

test('the commands of the README are there', () => {
  const names = leaves(program).map((command) =>
    command.parent === program ? command.name() : `${command.parent?.name()} ${command.name()}`,
  );
  assert.deepEqual(names.toSorted(), [
    'build',
    'check',
    'cluster install',
    'cluster status',
    'completion',
    'deploy',
    'dev',
    'export kubernetes',
    'image build',
    'image inspect',
    'image keygen',
    'image pull',
    'image push',
    'image sign',
    'image verify',
    'init',
    'inspect',
    'invoke',
    'list',
    'logs',
    'operator',
    'policy eval',
    'policy test',
    'promote',
    'reload',
    'remove',
    'rollback',
    'rollout abort',
    'rollout pause',
    'rollout promote',
    'rollout resume',
    'serve',
    'status',
    'token',
  ]);
});

for (const command of leaves(program)) {
  test(`${command.name()}: help with examples, and --json`, () => {
    const help = command.helpInformation();
    assert.ok(help.includes(command.description().slice(0, 20)));
    assert.ok(help.includes('--json'));
    assert.ok(examplesOf(command).length > 0);
    for (const [line] of examplesOf(command)) assert.match(line, /mayfly /);
  });
}

test('--help and --version answer 0, what is not understood 2', async () => {
  const help = await mayfly(['serve', '--help']);
  assert.deepEqual([help.code, help.err], [0, '']);
  assert.match(help.out, /Usage: mayfly serve[^]*Examples:/);
  assert.match((await mayfly(['--version'])).out, /^\d+\.\d+\.\d+\n$/);
  assert.match((await mayfly([])).out, /^Usage: mayfly/);
  const wrong = await mayfly(['serv']);
  assert.equal(wrong.code, 2);
  assert.equal(wrong.err.split('\n')[0], "error unknown command 'serv' (Did you mean serve?)");
  const asJson = await mayfly(['promote', 'a', 'x', '10', '--json']);
  const { error } = JSON.parse(asJson.out) as { error: { code: string; message: string } };
  assert.deepEqual([asJson.code, asJson.err, error.code], [2, '', 'usage']);
  assert.match(error.message, /whole number/);
  const incomplete = await mayfly(['image', 'push', './a']);
  assert.equal(incomplete.code, 2);
  assert.match(
    incomplete.err,
    /missing required argument 'target'\n +Write it as mayfly image push \[options\] <source> <target>;/,
  );
});

test('check: everything that is wrong with file, line and key; exit code 2', async () => {
  using folder = makeTestFolder({
    'mayfly.yaml': 'server: { port: 8080 }\nserver_: {}\nfunctions: { a: { source: 8 } }\n',
  });
  const { code, out, err } = await mayfly(['check', folder.path]);
  assert.deepEqual([code, out], [2, '']);
  assert.match(
    err,
    /mayfly\.yaml:2:1: server_ [^]*Did you mean server\?[^]*mayfly\.yaml:3:\d+: functions\.a\.source/,
  );
  const json = JSON.parse((await mayfly(['check', folder.path, '--json'])).out) as {
    error: { issues: { line: number; key: string }[] };
  };
  assert.deepEqual(json.error.issues.map(({ line, key }) => [line, key])[0], [2, 'server_']);
  folder.write('mayfly.yaml', 'server: { port: 8080 }\n');
  const fine = await mayflyJson<{ ok: boolean }>(['check', folder.path]);
  assert.equal(fine.ok, true);
  assert.equal((await mayfly(['check', join(folder.path, 'nothing.yaml')])).code, 2);
});

test('check: a policy that does not compile is found with its line', async () => {
  using folder = makeTestFolder({
    'mayfly.yaml': 'policy: { files: [p.rego] }\n',
    'p.rego': 'package serverless\nimport rego.v1\nallow if { input.x == }\n',
  });
  const { err, code } = await mayfly(['check', folder.path]);
  assert.match(err, /p\.rego:3/);
  assert.notEqual(code, 0);
});

test('token: signed with the secret of the configuration, claims as given', async () => {
  using folder = makeTestFolder({
    'mayfly.yaml': 'security: { jwt_secret_file: secret, issuer: shop, token_expiry: 10m }\n',
  });
  const args = [
    'token',
    folder.path,
    '--role',
    'user',
    '--sub',
    'u1',
    '--claim',
    'status=active',
    '--claim',
    'n=[1]',
  ];
  const { code, out } = await mayfly(args);
  assert.equal(code, 0);
  const { iat, exp, ...claims } = decodeJwt(out.trim());
  assert.deepEqual(claims, { role: 'user', sub: 'u1', status: 'active', n: [1], iss: 'shop' });
  assert.equal(Number(exp) - Number(iat), 600);
  const short = await mayflyJson<{ token: string }>([...args, '--expiry', '30s']);
  const times = decodeJwt(short.token);
  assert.equal(Number(times.exp) - Number(times.iat), 30);
  assert.equal((await mayfly([...args, '--expiry', '30'])).code, 2);
  assert.equal((await mayfly(['token', folder.path, '--claim', 'x'])).code, 2);
  folder.write('mayfly.yaml', '');
  const none = await mayfly(['token', folder.path]);
  assert.deepEqual([none.code, /no secret to sign it with/.test(none.err)], [2, true]);
});

test('init: a folder that checks and builds; nothing is overwritten', async () => {
  using folder = makeTestFolder();
  for (const template of ['hello', 'flash-sale', 'wagi']) {
    const target = join(folder.path, template);
    const made = await mayflyJson<{ files: string[] }>(['init', target, '--template', template]);
    for (const file of ['mayfly.yaml', '.gitignore', 'README.md']) assert.ok(made.files.includes(file));
    assert.ok(!made.files.some((file) => file.includes('.mayfly')), 'no state of the example');
    assert.equal((await mayfly(['check', target])).code, 0);
  }
  const hello = join(folder.path, 'hello');
  const { built } = await mayflyJson<{ built: { kind: string; path: string }[] }>(['build', hello]);
  assert.deepEqual(
    built.map(({ kind }) => kind),
    ['handler'],
  );
  const out = join(folder.path, 'out.wasm');
  assert.equal((await mayfly(['build', join(hello, 'function.ts'), '--out', out])).code, 0);
  assert.ok(existsSync(out));
  const again = await mayfly(['init', hello]);
  assert.deepEqual([again.code, /would be overwritten/.test(again.err)], [2, true]);
  assert.equal((await mayfly(['init', hello, '--template', 'none'])).code, 2);
});

test('build: a mistake is shown with the line it is about', async () => {
  using folder = makeTestFolder({
    'function.ts':
      'import { Request, Response } from "mayfly";\nexport function handle(r: Request): Response {\n  return Respons;\n}\n',
  });
  const { code, err } = await mayfly(['build', folder.path]);
  assert.equal(code, 1);
  assert.match(err, /function\.ts:3:10\)\n[^]*3 \| {3}return Respons;/);
  assert.equal((await mayfly(['build', join(folder.path, 'nothing.ts')])).code, 2);
});

const POLICY = `package serverless
import rego.v1
default allow = false
allow if input.user.role == "admin"
`;

test('policy eval: the value as JSON, undefined is exit code 1', async () => {
  using folder = makeTestFolder({ 'p.rego': POLICY, 'in.json': '{"user":{"role":"admin"}}' });
  const file = join(folder.path, 'p.rego');
  const rule = ['--rule', 'data.serverless.allow'];
  const yes = await mayfly(['policy', 'eval', file, ...rule, '--input', join(folder.path, 'in.json')]);
  assert.deepEqual([yes.code, yes.out], [0, 'true\n']);
  const no = await mayfly(['policy', 'eval', folder.path, ...rule, '--input', '-', '--json'], {
    input: '{}',
  });
  assert.deepEqual(JSON.parse(no.out), { result: false });
  folder.write('q.rego', 'package q\nvalue := input.none\n');
  const undefined_ = await mayfly(['policy', 'eval', folder.path, '--rule', 'data.q.value', '--input', '-'], {
    input: '{}',
  });
  assert.deepEqual([undefined_.code, undefined_.out, undefined_.err], [1, '', 'undefined\n']);
  const bad = await mayfly(['policy', 'eval', file, ...rule, '--input', '-'], { input: '{' });
  assert.deepEqual([bad.code, /not JSON/.test(bad.err)], [2, true]);
});

test('policy test: the report of opa test; a failure is exit code 1', async () => {
  using folder = makeTestFolder({
    'p.rego': POLICY,
    'p_test.rego':
      'package serverless_test\nimport rego.v1\nimport data.serverless\ntest_admin if serverless.allow with input as {"user": {"role": "admin"}}\n',
  });
  const passed = await mayfly(['policy', 'test', folder.path]);
  assert.deepEqual([passed.code, passed.out], [0, 'PASS: 1/1\n']);
  folder.write('q_test.rego', 'package q_test\nimport rego.v1\ntest_no if false\n');
  const failed = await mayfly(['policy', 'test', folder.path, '--json']);
  assert.equal(failed.code, 1);
  const results = JSON.parse(failed.out) as { name: string; fail?: boolean }[];
  assert.deepEqual(
    results.map(({ name, fail }) => [name, fail ?? false]),
    [
      ['test_admin', false],
      ['test_no', true],
    ],
  );
});
