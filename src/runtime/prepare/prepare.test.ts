import assert from 'node:assert/strict';
import { test } from 'node:test';
import wabt from 'wabt';
import { MayflyError } from '../../model/errors.ts';
import { moduleLimits } from './module-limits.ts';
import { prepare } from './prepare.ts';

const FEATURES = { threads: true, memory64: true, multi_memory: true, exceptions: true, gc: false } as never;
const toolkit = await wabt();
const PAGE = 65_536;

function assemble(text: string): Uint8Array<ArrayBuffer> {
  const module = toolkit.parseWat('guest.wat', `(module ${text})`, FEATURES);
  return new Uint8Array(module.toBinary({}).buffer);
}

function refusal(bytes: Uint8Array, memoryBytes = 2 ** 24): MayflyError {
  try {
    prepare(bytes, { memoryBytes });
  } catch (error) {
    assert.ok(error instanceof MayflyError);
    return error;
  }
  return assert.fail('it was not refused');
}

for (const [text, reason] of [
  ['(import "env" "memory" (memory 1))', /an imported memory.*env\.memory/],
  ['(import "env" "table" (table 1 funcref))', /an imported table/],
  ['(import "env" "g" (global (mut i32)))', /an imported mutable global/],
  ['(memory 1 2 shared)', /shared memory/],
  ['(memory i64 1)', /64-bit memory/],
  ['(memory 1) (func (drop (i32.atomic.load (i32.const 0))))', /threads \(atomic instructions\)/],
  ['(memory 1) (func (export "mayfly:host arm"))', /an export name that begins with mayfly:host/],
] as const) {
  test(`refused by name: ${text}`, () => {
    const error = refusal(assemble(text));
    assert.equal(error.code, 'unsupported-feature');
    assert.match(error.message, reason);
    assert.ok(error.fix);
  });
}

for (const [what, text, reason] of [
  ['initial memory', '(memory 17)', /initial memory in pages of 64 KiB is 17, at most 16/],
  ['memories', '(memory 1)'.repeat(moduleLimits.memories + 1), /the number of memories is 9/],
  ['table elements', '(table 1048577 funcref)', /the number of table elements is 1048577/],
  ['tables', '(table 1 funcref)'.repeat(moduleLimits.tables + 1), /the number of tables/],
  ['globals', '(global i32 (i32.const 0))'.repeat(moduleLimits.globals + 1), /the number of globals/],
  [
    'values in an exception',
    `(tag (param ${'i64 '.repeat(moduleLimits.tagParameters + 1)}))`,
    /values in an exception/,
  ],
] as const) {
  test(`too much: ${what}`, () => {
    const error = refusal(assemble(text), 16 * PAGE);
    assert.equal(error.code, 'module-too-large');
    assert.match(error.message, reason);
  });
}

test('too much: a function body, the whole module', () => {
  const long = assemble(`(func ${'(drop (i64.const 1234567890123))'.repeat(1000)})`);
  assert.ok(prepare(long, { memoryBytes: PAGE }).wasm.length > 0);
  assert.match(refusal(new Uint8Array(moduleLimits.bytes + 1)).message, /its size in bytes/);
  const nops = new Uint8Array(moduleLimits.functionBytes + 1).fill(0x01);
  assert.match(refusal(withBody(nops)).message, /the size in bytes of function 0/);
});

/** The length of `content`, as LEB128 of four bytes. */
function sized({ length }: Uint8Array): Buffer {
  return Buffer.of(
    (length & 0x7f) | 0x80,
    ((length >> 7) & 0x7f) | 0x80,
    ((length >> 14) & 0x7f) | 0x80,
    length >> 21,
  );
}

/** A module of one function with this code. */
function withBody(code: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.of(0), code, Buffer.of(0x0b)]);
  const content = Buffer.concat([Buffer.of(1), sized(body), body]);
  const head = Buffer.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10);
  return new Uint8Array(Buffer.concat([head, sized(content), content]));
}

function maximum(text: string): number[] {
  const { info } = prepare(assemble(text), { memoryBytes: 10 * PAGE });
  return info.memories.map((memory) => memory.maximumPages);
}

test('memory maxima are lowered to the limit, never raised', () => {
  assert.deepEqual(maximum('(memory 2)'), [10]);
  assert.deepEqual(maximum('(memory 2 3)'), [3]);
  assert.deepEqual(maximum('(memory 2 99)'), [10]);
  assert.deepEqual(maximum('(memory 2) (memory 2)'), [5, 5]);
});

test('the description names the bytes that data segments fill', () => {
  const [memory] = prepare(
    assemble('(memory 1) (data (i32.const 100) "abc") (data (i32.const 7) "x") (data "passive")'),
    { memoryBytes: PAGE },
  ).info.memories;
  assert.equal(memory?.dataStart, 7);
  assert.equal(memory?.dataEnd, 103);
});

test('names are kept for stack traces, other custom sections are not', () => {
  const text = toolkit.parseWat('guest.wat', '(module (memory 1) (func $visible unreachable))');
  const bytes = new Uint8Array(text.toBinary({ write_debug_names: true }).buffer);
  const module = new WebAssembly.Module(prepare(bytes, { memoryBytes: PAGE }).wasm);
  assert.equal(WebAssembly.Module.customSections(module, 'name').length, 1);
});

test('a module without anything can be prepared', () => {
  assert.ok(WebAssembly.validate(prepare(assemble(''), { memoryBytes: PAGE }).wasm));
});
