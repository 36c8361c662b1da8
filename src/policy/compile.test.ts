import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { MayflyError } from '../model/errors.ts';
import { shopNew, shopOld } from '../../test/support/policies.ts';
import { compileForOthers, compilePolicy, toSpec, type CompiledPolicy } from './compile.ts';
import { createEvaluator } from './evaluator.ts';
import { PolicyEvaluationError } from './types.ts';
import { runTask } from './worker/run-task.ts';

const entrypoints = ['serverless/allow'];
const order = {
  method: 'POST',
  path: '/api/function',
  user: { role: 'user', status: 'active' },
  rate_limit: { limit: 200, remaining: 1 },
};

/** Changes to the allowed request above, and whether each syntax' policy allows the result. */
const decisions: [change: object, old: boolean, neu: boolean][] = [
  [{}, true, true],
  [{ user: { role: 'user', status: 'suspended' } }, true, false],
  [{ user: { role: 'user' } }, true, false],
  [{ rate_limit: { limit: 200, remaining: 0 } }, false, false],
  [{ rate_limit: undefined }, false, false],
  [{ user: undefined }, false, false],
  [{ user: { role: 'admin', status: 'active' } }, false, false],
  [{ method: 'PUT' }, false, false],
  [{ path: '/api/function/' }, false, false],
  [{ method: 'GET', path: '/api/status' }, false, true],
  [{ method: 'GET', path: '/api/status', rate_limit: { remaining: 0 } }, false, true],
  [{ method: 'GET', path: '/api/all' }, false, false],
  [{ method: 'GET', path: '/api/all', user: { role: 'admin' } }, false, true],
];

let cacheDir: string;
before(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'mayfly-policy-'));
});
after(() => rm(cacheDir, { recursive: true }));

for (const [name, text, column] of [
  ['old', shopOld, 1],
  ['new', shopNew, 2],
] as const) {
  test(`the shop's policy in the ${name} syntax decides in both forms`, async () => {
    const policy = await compilePolicy({ files: { 'shop.rego': text }, entrypoints }, { cacheDir });
    assert.equal(policy.javascriptRefused, null);
    const spec = await toSpec('shop', policy);
    for (const [form, mode] of [
      [spec, 'javascript'],
      [{ ...spec, javascript: null }, 'wasm'],
    ] as const) {
      const evaluator = createEvaluator(form);
      assert.equal(evaluator.mode, mode);
      const decide = evaluator.entrypoint('serverless/allow');
      for (const decision of decisions) {
        assert.equal(decide({ ...order, ...decision[0] }), decision[column], JSON.stringify(decision));
      }
      for (const nothing of [null, false, 0, '', {}, [], 'allow', true]) assert.equal(decide(nothing), false);
      assert.throws(() => decide(undefined), /needs an input/);
      assert.throws(() => evaluator.entrypoint('serverless/deny'), { code: 'unknown-entrypoint' });
    }
  });
}

test('files of both syntaxes compile together', async () => {
  const files = {
    'old.rego': 'package a\nadmin { input.role == "admin" }',
    'new.rego': 'package b\nimport data.a\nallow if a.admin',
  };
  const policy = await compilePolicy({ files, entrypoints: ['b/allow'] });
  const decide = createEvaluator(await toSpec('mixed', policy)).entrypoint('b/allow');
  assert.equal(decide({ role: 'admin' }), true);
  assert.equal(decide({ role: 'user' }), undefined);
});

test('the cache gives the same policy, survives damage, and forgets the oldest', async () => {
  const sources = { files: { 'shop.rego': shopOld }, entrypoints };
  const compiled = await compilePolicy(sources, { cacheDir });
  const file = join(cacheDir, `${compiled.digest.replace('sha256:', '')}.json`);
  assert.deepEqual(await compilePolicy(sources, { cacheDir }), compiled);

  await writeFile(file, '{"wasm":"AGFzbQ');
  const again = await compilePolicy(sources, { cacheDir });
  assert.deepEqual(again, compiled);

  const others = Array.from({ length: 70 }, (_, i) => writeFile(join(cacheDir, `${i}.json`), '{}'));
  await Promise.all(others);
  await compilePolicy({ ...sources, data: { one: 1 } }, { cacheDir });
  assert.equal((await readdir(cacheDir)).length, 64);
});

test('what was compiled for others is taken as it is, and what is damaged is compiled anew', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mayfly-shipped-'));
  after(() => rm(folder, { recursive: true }));
  const files = { 'a.rego': 'package a\nx if input.y\nz if input.y == 2\n' };
  const { name, bytes } = await compileForOthers({ files, entrypoints: ['a/z', 'a/x'] });
  assert.deepEqual((await compileForOthers({ files, entrypoints: ['a/x', 'a/z'] })).bytes, bytes);
  const sources = { files, entrypoints: ['a/x', 'a/z'] };
  const expected = await compilePolicy(sources);
  assert.equal(name, `${expected.digest.replace('sha256:', '')}.policy`);

  const answer = JSON.parse(brotliDecompressSync(bytes).toString());
  const pack = (value: unknown) => brotliCompressSync(Buffer.from(JSON.stringify(value)));
  // A listing that no compiler wrote shows which of the two was taken.
  const rules = [{ path: 'data.a.shipped', location: null }];
  const cases: [what: string, content: Uint8Array, taken: boolean][] = [
    ['whole', pack({ ...answer, rules }), true],
    ['cut', bytes.subarray(0, bytes.length / 2), false],
    ['another module', pack({ ...answer, rules, wasm: 'AGFzbQ' }), false],
    ['no module', pack({ ...answer, rules, wasm: undefined }), false],
    ['no plan', pack({ ...answer, rules, plan: undefined }), false],
    ['nothing', pack(null), false],
    ['a list', pack([]), false],
    ['empty', new Uint8Array(), false],
    ['endless', brotliCompressSync(new Uint8Array(65 * 2 ** 20)), false],
  ];
  for (const [what, content, taken] of cases) {
    await writeFile(join(folder, name), content);
    const policy = await compilePolicy(sources, { shippedDir: folder });
    assert.deepEqual(policy, taken ? { ...expected, rules } : expected, what);
  }
});

test('a compiler that is kept gives the same, and forgets what it compiled', async () => {
  const sources = (name: string) => ({
    files: { 'p.rego': `package ${name}\nallow if input.x` },
    entrypoints: [`${name}/allow`],
  });
  const cold = await compilePolicy(sources('a'));
  for (const name of ['b', 'a', 'c']) await compilePolicy(sources(name), { warm: true });
  assert.deepEqual(await compilePolicy(sources('a'), { warm: true }), cold);
});

test('the digest covers sources, data and entrypoints', async () => {
  const files = { 'a.rego': 'package a\nx := 1\ny := 2' };
  const policies: CompiledPolicy[] = await Promise.all([
    compilePolicy({ files, entrypoints: ['a/x'] }),
    compilePolicy({ files, entrypoints: ['a/y'] }),
  ]);
  assert.equal(new Set(policies.map((policy) => policy.digest)).size, 2);
});

/** Every way to be refused: what the author wrote, and what must be in the message. */
const refusals: [
  name: string,
  files: Record<string, string>,
  message: RegExp,
  code: string,
  data?: unknown,
][] = [
  ['a syntax error', { 'p.rego': 'package a\nallow if {\n  input.x ==\n}' }, /p\.rego:4:1/, 'policy-broken'],
  [
    'an unsafe variable',
    { 'p.rego': 'package a\nallow if inptu.x' },
    /inptu is unsafe \(p\.rego:2:10\)/,
    'policy-broken',
  ],
  [
    'an unknown rule',
    { 'p.rego': 'package a\nalow if input.x' },
    /no rule data\.a\.allow.*Did you mean data\.a\.alow\?/,
    'policy-rule-unknown',
  ],
  [
    'a builtin without Wasm form',
    { 'p.rego': 'package a\nallow if { 1 == 1\n http.send({"url": input.u, "method": "get"}) }' },
    /calls http\.send.*\(p\.rego:3:2\)/,
    'policy-builtin-unsupported',
  ],
  [
    'data where a rule is',
    { 'p.rego': 'package a\nallow if input.x' },
    /data\.a\.allow \(p\.rego:2:1\)/,
    'policy-data-conflict',
    { a: { allow: true } },
  ],
  ['recursion', { 'p.rego': 'package a\nallow if b\nb if allow' }, /recursive/, 'policy-broken'],
  [
    'a type error',
    { 'p.rego': 'package a\nallow if count(7) == 1' },
    /count: invalid argument\(s\) \(p\.rego:2:10\)/,
    'policy-broken',
  ],
  ['no rule at all', { 'p.rego': 'package a\n' }, /a\/allow/, 'policy-broken'],
];
for (const [name, files, message, code, data] of refusals) {
  test(`refused: ${name}`, async () => {
    await assert.rejects(compilePolicy({ files, data, entrypoints: ['a/allow'] }), (error) => {
      assert.ok(error instanceof MayflyError);
      assert.match(error.message, message);
      assert.equal(error.code, code);
      return true;
    });
  });
}

test('hostile policies are stopped: by time, by memory', async () => {
  const text = `package a
count_all if { some i in input.n; some j in input.n; some k in input.n; i == k; j == "x" }
hoard := [[x, y] | some x in input.n; some y in input.n]
`;
  const request = { modules: { 'p.rego': text }, entrypoints: ['a/count_all', 'a/hoard'], tests: false };
  const { answer } = await runTask('compile', { request, data: {} });
  const wasm = Uint8Array.fromBase64(answer.wasm as string);
  const n = Array.from({ length: 5000 }, (_, i) => i);
  await assert.rejects(
    runTask('evaluate', { wasm, data: {}, entrypoint: 'a/count_all', input: { n } }, 1500),
    (error) => error instanceof MayflyError && error.code === 'policy-too-much',
  );
  await assert.rejects(
    runTask('evaluate', { wasm, data: {}, entrypoint: 'a/hoard', input: { n } }),
    (error) => error instanceof PolicyEvaluationError && /opa_malloc: failed/.test(error.message),
  );
});
