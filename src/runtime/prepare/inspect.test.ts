import assert from 'node:assert/strict';
import { test } from 'node:test';
import wabt from 'wabt';
import { MayflyError } from '../../model/errors.ts';
import { inspect } from './inspect.ts';

const toolkit = await wabt();
const assemble = (text: string) => {
  const module = toolkit.parseWat('guest.wat', `(module ${text})`);
  return new Uint8Array(module.toBinary({}).buffer);
};

const HANDLER = `(memory (export "memory") 2 5)
  (func (export "alloc") (param i32) (result i32) (i32.const 0))
  (func (export "handle") (param i32 i32) (result i64) (i64.const 0))`;
const COMMAND = '(memory (export "memory") 1) (func (export "_start"))';

test('a handler is told by its exports', () => {
  const description = inspect(assemble(HANDLER));
  assert.equal(description.kind, 'handler');
  assert.deepEqual(description.memories, [{ minimum: 2, maximum: 5 }]);
  assert.deepEqual(
    description.exports.map(({ name }) => name),
    ['memory', 'alloc', 'handle'],
  );
});

test('a WASI command is told by its exports; a module that is both is a handler', () => {
  assert.equal(inspect(assemble(COMMAND)).kind, 'wagi');
  assert.equal(inspect(assemble(`${HANDLER} (func (export "_start"))`)).kind, 'handler');
});

test('what is missing is said', () => {
  const wrong = `(memory (export "memory") 1) (func (export "alloc") (param i64) (result i32) (i32.const 0))`;
  assert.throws(
    () => inspect(assemble(wrong)),
    (error: unknown) => {
      assert.ok(error instanceof MayflyError);
      assert.equal(error.code, 'not-a-function');
      assert.match(
        error.message,
        /alloc \(i32\) -> i32 \(it is \(i64\) -> i32\) and the export handle \(i32, i32\) -> i64/,
      );
      assert.match(error.message, /_start \(\) -> \(\)/);
      return true;
    },
  );
});

for (const allowed of [
  '(import "mayfly" "log" (func (param i32 i32 i32)))',
  '(import "mayfly" "now" (func (result f64)))',
  '(import "env" "abort" (func (param i32 i32 i32 i32)))',
  '(import "wasi_snapshot_preview1" "fd_seek" (func (param i32 i64 i32 i32) (result i32)))',
]) {
  test(`allowed: ${allowed}`, () => assert.equal(inspect(assemble(allowed + HANDLER)).imports.length, 1));
}

for (const [refused, reason] of [
  ['(import "env" "system" (func (param i32)))', /imports the function env\.system/],
  ['(import "mayfly" "toString" (func))', /mayfly\.toString/],
  ['(import "mayfly" "log" (func (param i64)))', /as \(i64\) -> \(\), but it is \(i32, i32, i32\) -> \(\)/],
  ['(import "mayfly" "log" (global i32))', /imports the global mayfly\.log/],
  [
    '(import "wasi_unstable" "fd_write" (func (param i32 i32 i32 i32) (result i32)))',
    /wasi_unstable\.fd_write/,
  ],
] as const) {
  test(`refused by name: ${refused}`, () => {
    assert.throws(
      () => inspect(assemble(refused + HANDLER)),
      (error: unknown) => {
        assert.ok(error instanceof MayflyError && error.code === 'import-refused');
        assert.match(error.message, reason);
        return true;
      },
    );
  });
}

test('a component and a text file are told apart from a module', () => {
  assert.throws(() => inspect(Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0)), /it is a component/);
  assert.throws(() => inspect(new TextEncoder().encode('(module)')), /does not start with/);
});
