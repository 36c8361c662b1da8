import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { MayflyError } from '../model/errors.ts';
import { type BuildOptions, buildFunction } from './build.ts';
import { Compiler } from './compiler.ts';

const root = mkdtempSync(join(tmpdir(), 'mayfly-build-'));
// One warm compiler for all: the first compilation takes seconds.
const compiler = new Compiler();
after(async () => {
  await compiler[Symbol.asyncDispose]();
  rmSync(root, { recursive: true });
});

let folders = 0;
/** A new folder with these files. */
function folder(files: Record<string, string | Uint8Array>): string {
  const path = join(root, String(++folders));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  return path;
}

async function failure(options: BuildOptions): Promise<MayflyError> {
  const error = await buildFunction(options, compiler).then(
    () => assert.fail('it was built'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof MayflyError, String(error));
  return error;
}

const HELLO = `import { Request, Response } from "mayfly";
import { text } from "./text";
export function handle(request: Request): Response {
  return new Response(text);
}
`;
const hello = { 'function.ts': HELLO, 'text.ts': 'export const text = "one";' };

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const named = (text: string): number[] => [text.length, ...Buffer.from(text)];
const section = (id: number, content: number[]): number[] => [id, content.length, ...content];

/** Function types () → (), (i32) → i32, (i32, i32) → i64. */
const TYPES = [3, 0x60, 0, 0, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 2, 0x7f, 0x7f, 1, 0x7e];
const typeOf: Readonly<Record<string, number>> = { alloc: 1, handle: 2 };

/** A module with a memory that exports functions of these names, which do nothing but trap. */
function moduleExporting(...names: string[]): Uint8Array {
  const exports = [...named('memory'), 2, 0, ...names.flatMap((name, i) => [...named(name), 0, i])];
  const bodies = names.flatMap(() => [3, 0, 0x00, 0x0b]);
  return Uint8Array.from(
    HEADER.concat(
      section(1, TYPES),
      section(3, [names.length, ...names.map((name) => typeOf[name] ?? 0)]),
      section(5, [1, 0, 1]),
      section(7, [names.length + 1, ...exports]),
      section(10, [names.length, ...bodies]),
    ),
  );
}

test('A folder builds to a handler; unchanged it is not built again; the same source gives the same bytes', async () => {
  const source = folder(hello);
  const first = await buildFunction({ source }, compiler);
  assert.equal(first.kind, 'handler');
  assert.equal(first.cached, false);
  assert.deepEqual(readFileSync(first.path), Buffer.from(first.wasm));
  const second = await buildFunction({ source });
  assert.equal(second.cached, true);
  assert.deepEqual(Buffer.from(second.wasm), Buffer.from(first.wasm));
  const elsewhere = await buildFunction({ source: join(folder(hello), 'function.ts') }, compiler);
  assert.equal(elsewhere.cached, false);
  assert.deepEqual(Buffer.from(elsewhere.wasm), Buffer.from(first.wasm));
});

test('A change in an imported file builds again, a new time stamp does not', async () => {
  const source = folder(hello);
  const first = await buildFunction({ source }, compiler);
  utimesSync(join(source, 'text.ts'), 1, 1);
  assert.equal((await buildFunction({ source }, compiler)).cached, true);
  writeFileSync(join(source, 'text.ts'), 'export const text = "two";');
  const second = await buildFunction({ source }, compiler);
  assert.equal(second.cached, false);
  assert.notDeepEqual(second.wasm, first.wasm);
});

test('A file that now stands where the compiler had looked in vain builds again', async () => {
  const source = folder({ 'function.ts': HELLO, 'text/index.ts': 'export const text = "one";' });
  await buildFunction({ source }, compiler);
  writeFileSync(join(source, 'text.ts'), 'export const text = "nearer";');
  assert.equal((await buildFunction({ source }, compiler)).cached, false);
});

test('A damaged cache is built over', async () => {
  const source = folder(hello);
  const first = await buildFunction({ source }, compiler);
  writeFileSync(first.path, 'rubbish');
  const second = await buildFunction({ source }, compiler);
  assert.equal(second.cached, false);
  assert.deepEqual(Buffer.from(second.wasm), Buffer.from(first.wasm));
});

test('out gets a copy, and no half-written files stay behind', async () => {
  const source = folder(hello);
  const out = join(source, 'dist', 'hello.wasm');
  const result = await buildFunction({ source, out, cache: join(source, 'cache') }, compiler);
  assert.equal(result.path, out);
  assert.ok(statSync(out).size > 0);
  assert.deepEqual(readdirSync(join(source, 'dist')), ['hello.wasm']);
  assert.equal(readdirSync(join(source, 'cache')).length, 2);
});

test('index.ts and assembly/index.ts are found too', async () => {
  for (const name of ['index.ts', 'assembly/index.ts']) {
    const source = folder({ [name]: HELLO, [join(dirname(name), 'text.ts')]: 'export const text = "";' });
    assert.equal((await buildFunction({ source }, compiler)).kind, 'handler');
  }
});

test('An error names file, line, column and shows the line', async () => {
  const source = folder({
    'function.ts': HELLO.replace('new Response(text)', 'new Response(text.nope)'),
    'text.ts': hello['text.ts'],
  });
  const error = await failure({ source });
  assert.equal(error.code, 'build-failed');
  assert.equal(error.where, `${join(source, 'function.ts')}:4:28`);
  assert.match(error.message, /Property 'nope' does not exist on type 'String'/);
  assert.match(error.message, /4 \| {3}return new Response\(text\.nope\);\n.*\| {28}\^/);
});

test('Every error is shown, in whichever file it is', async () => {
  const source = folder({
    'function.ts': HELLO,
    'text.ts': 'export const text: string = 1;\nexport const other: i32 = "x";\n',
  });
  const error = await failure({ source });
  assert.match(error.where ?? '', /text\.ts:1:/);
  assert.match(error.message, /text\.ts:1:29\)\. ?\n.*\n.*\n.*text\.ts:2:27: .*\n  2 \| /);
});

test('Broken syntax, a missing import, a missing package', async () => {
  for (const [text, expected] of [
    ['export function handle(', /function\.ts:1:/],
    [
      'import { a } from "./gone"; export function handle(r: i32): i32 { return a; }',
      /File 'gone\.ts' not found/,
    ],
    [
      'import { a } from "left-pad"; export function handle(r: i32): i32 { return a; }',
      /no AssemblyScript package 'left-pad'/,
    ],
  ] as const) {
    assert.match((await failure({ source: folder({ 'function.ts': text }) })).message, expected);
  }
});

test('A file without a fitting handle is told what to write', async () => {
  for (const text of [
    'export function handel(): void {}',
    'export function handle(x: i32): i32 { return x; }',
  ]) {
    const error = await failure({ source: folder({ 'function.ts': text }) });
    assert.match(
      error.message,
      /exports no fitting handle .*Write: export function handle\(request: Request\): Response/,
    );
  }
});

test('A value that JSON.Writer cannot write is a mistake of the build, not of the first request', async () => {
  const text = HELLO.replace('new Response(text)', 'Response.json(JSON.object().set("a", request))').replace(
    'Response }',
    'Response, JSON }',
  );
  const source = folder({ ...hello, 'function.ts': text });
  const error = await failure({ source });
  assert.match(
    error.message,
    /JSON\.Writer takes booleans, numbers, strings and JSON\.Value \(.*function\.ts, seen in/,
  );
});

test('A module is taken as it is; its kind is told from its exports', async () => {
  const handler = join(folder({ 'a.wasm': moduleExporting('alloc', 'handle') }), 'a.wasm');
  const result = await buildFunction({ source: handler });
  assert.deepEqual([result.kind, result.path], ['handler', handler]);
  const command = join(folder({ 'a.wasm': moduleExporting('_start') }), 'a.wasm');
  assert.equal((await buildFunction({ source: command })).kind, 'wagi');
});

test('What is no function is refused', async () => {
  for (const content of [moduleExporting('main'), 'rubbish']) {
    const source = join(folder({ 'a.wasm': content }), 'a.wasm');
    assert.ok((await failure({ source })).where?.startsWith(source));
  }
  assert.equal((await failure({ source: join(root, 'gone') })).code, 'source-missing');
  assert.equal((await failure({ source: folder({ 'readme.md': '' }) })).code, 'source-missing');
  assert.equal((await failure({ source: join(folder({ 'a.py': '' }), 'a.py') })).code, 'source-unknown');
});

test('Any other language is built by a command in the folder of the source', async () => {
  const source = folder({ 'input.bin': moduleExporting('_start') });
  const built = {
    source,
    command: 'mkdir -p target && cp input.bin target/out.wasm',
    output: 'target/out.wasm',
  };
  const result = await buildFunction(built);
  assert.deepEqual([result.kind, result.path], ['wagi', join(source, 'target/out.wasm')]);
});

test('A command that fails says how, with its last words', async () => {
  const source = folder({ 'x.rs': '' });
  const error = await failure({ source, command: 'echo error: no such crate >&2; exit 3', output: 'x.wasm' });
  assert.match(error.message, /exit code 3.*\n?.*error: no such crate/s);
  const silent = await failure({ source, command: 'true', output: 'x.wasm' });
  assert.match(silent.message, /made no such file .*x\.wasm/);
  assert.match((await failure({ source, command: 'true' })).message, /has no output/);
});

test('Builds that run at once do not disturb each other', async () => {
  const sources = [1, 2, 3].map((n) => folder({ ...hello, 'text.ts': `export const text = "${n}";` }));
  const results = await Promise.all(sources.map((source) => buildFunction({ source }, compiler)));
  for (const [index, { wasm }] of results.entries()) {
    assert.ok(Buffer.from(wasm).includes(Buffer.from(`${index + 1}`, 'utf16le')));
  }
  assert.equal(new Set(results.map(({ wasm }) => Buffer.from(wasm).toString('latin1'))).size, 3);
});
