import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf } from '../../src/artifacts/digest.ts';
import { mayfly, mayflyJson } from '../support/cli.ts';
import { makeTestFolder } from '../support/folder.ts';
import { assembleText } from '../support/pod/driver.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples');

interface Built {
  readonly built: readonly {
    readonly name: string;
    readonly path: string;
    readonly bytes: number;
    readonly digest: string;
  }[];
}

test('a project becomes a pod: the same bytes each time, with its settings in it', async () => {
  using folder = makeTestFolder();
  const project = join(EXAMPLES, 'hello');
  const build = (out: string) =>
    mayflyJson<Built>(['build', project, '--target', 'wasmedge', '--out', join(folder.path, out)]);
  const [first, second] = [await build('one.wasm'), await build('two.wasm')];
  const [pod] = first.built;
  assert.ok(pod !== undefined);
  const bytes = readFileSync(pod.path);
  assert.equal(pod.bytes, bytes.length);
  assert.equal(pod.digest, digestOf(bytes));
  assert.equal(second.built[0]?.digest, pod.digest);
  assert.match(bytes.toString('latin1'), new RegExp(`name=${pod.name}\\n`));
  assert.ok(bytes.length < 100_000, `${bytes.length} bytes`);
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes));
  assert.deepEqual([...new Set(imports.map(({ module }) => module))], ['wasi_snapshot_preview1']);
});

test('every function of a configuration becomes a pod of its own', async () => {
  using folder = makeTestFolder({
    'mayfly.yaml': `server: { port: 8111 }
functions:
  one: { source: ${join(EXAMPLES, 'hello/function.ts')}, env: { COLOUR: red }, memory_limit: 2Mi }
  two: { source: ${join(EXAMPLES, 'hello/function.ts')} }
`,
  });
  const { built } = await mayflyJson<Built>(['build', folder.path, '--target', 'wasmedge']);
  assert.deepEqual(
    built.map(({ path }) => path),
    ['one', 'two'].map((name) => join(folder.path, `.mayfly/pods/${name}.wasm`)),
  );
  const text = readFileSync(built[0]?.path as string, 'latin1');
  assert.match(text, /port=8111\n/);
  assert.match(text, /env\.COLOUR=red\n/);
  const { code, err } = await mayfly(['build', folder.path, '--target', 'wasmedge', '--out', 'x.wasm'], {
    cwd: folder.path,
  });
  assert.equal(code, 2);
  assert.match(err, /Cannot put 2 functions into one file/);
});

test('bad input is one clear sentence, and nothing is written', async () => {
  const handler = `(func (export "alloc") (param i32) (result i32) i32.const 0)
    (func (export "handle") (param i32 i32) (result i64) i64.const 0)`;
  const memory = '(memory (export "memory") 1)';
  using folder = makeTestFolder({
    'not.wasm': 'nothing',
    'empty/keep': '',
    'busy/pod.wasm/keep': '',
    'two.wasm': assembleText(`(module ${memory} (memory 1) ${handler})`),
    'stranger.wasm': assembleText(`(module (import "shop" "price" (func)) ${memory} ${handler})`),
    'thrower.wasm': assembleText(`(module (tag) ${memory} ${handler})`),
  });
  const source = join(EXAMPLES, 'hello/function.ts');
  const cases: readonly [string, readonly string[], RegExp][] = [
    ['a source that is not there', ['missing.ts', '--target', 'wasmedge'], /no such file or folder/],
    ['no module', ['not.wasm', '--target', 'wasmedge', '--out', 'empty/pod.wasm'], /not valid WebAssembly/],
    [
      'an import that nobody has',
      ['stranger.wasm', '--target', 'wasmedge', '--out', 'empty/pod.wasm'],
      /shop\.price/,
    ],
    [
      'two memories',
      ['two.wasm', '--target', 'wasmedge', '--out', 'empty/pod.wasm'],
      /it uses more than one memory, which WasmEdge does not run/,
    ],
    [
      'exceptions',
      ['thrower.wasm', '--target', 'wasmedge', '--out', 'empty/pod.wasm'],
      /it uses exceptions, which WasmEdge does not run/,
    ],
    ['no such target', [source, '--target', 'wasmtime'], /Allowed choices are gateway, wasmedge/],
    [
      'a folder in the way',
      [source, '--target', 'wasmedge', '--out', 'busy/pod.wasm'],
      /Cannot write the pod: a folder is in the way/,
    ],
    [
      'no compiler',
      [source, '--target', 'wasmedge', '--aot', '--out', 'empty/pod.wasm'],
      /no wasmedge program/,
    ],
    ['compiling for the gateway', [source, '--aot', '--out', 'empty/pod.wasm'], /it compiles by itself/],
  ];
  for (const [what, args, words] of cases) {
    const env = { MAYFLY_WASMEDGE: '/nowhere/wasmedge' };
    const { code, err } = await mayfly(['build', ...args], { cwd: folder.path, env });
    assert.notEqual(code, 0, what);
    assert.match(err, words, what);
    assert.doesNotMatch(err, /\n\s+at /, `${what}: a stack trace`);
  }
  assert.deepEqual(readdirSync(join(folder.path, 'empty')), ['keep']);
  assert.deepEqual(readdirSync(join(folder.path, 'busy')), ['pod.wasm']);
});
