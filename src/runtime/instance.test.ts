import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import wabt from 'wabt';
import { MayflyError } from '../model/errors.ts';
import { EpochClock } from './epoch-clock.ts';
import { createEpochMemory } from './epoch-memory.ts';
import { Instance } from './instance.ts';
import { prepare } from './prepare/prepare.ts';
import { DirtyMap, RuntimeThread } from './runtime-thread.ts';

const FEATURES = {
  exceptions: true,
  multi_memory: true,
  tail_call: true,
  simd: true,
  bulk_memory: true,
} as never;
const toolkit = await wabt();
const thread = new RuntimeThread(createEpochMemory());
const instances: Instance[] = [];
let clock: EpochClock;
before(async () => void (clock = await EpochClock.start(thread.epoch)));
after(() => clock.stop());
afterEach(() => instances.splice(0).forEach((instance) => instance.dispose()));

type Call = (...values: number[]) => number;

function create(text: string, memoryBytes = 2 ** 20, imports: WebAssembly.Imports = {}, options = {}) {
  const module = toolkit.parseWat('guest.wat', `(module ${text})`, FEATURES);
  const prepared = prepare(new Uint8Array(module.toBinary({}).buffer), { memoryBytes });
  module.destroy();
  const compiled = new WebAssembly.Module(prepared.wasm);
  const make = () => Instance.create(thread, compiled, prepared.info, imports, options);
  const instance = make();
  instances.push(instance);
  instance.arm(10_000);
  return { instance, make, call: instance.exports as unknown as Record<string, Call> };
}

const MEMORY = '(memory (export "memory") 1)';
const SPIN = '(func (export "spin") (loop $again (br $again)))';

test('an endless loop is stopped at its budget, not before, and the instance can be used again', () => {
  const { instance, call } = create(`${MEMORY} ${SPIN} (func (export "one") (result i32) (i32.const 1))`);
  const start = performance.now();
  instance.arm(30);
  assert.throws(() => call['spin']?.(), WebAssembly.RuntimeError);
  assert.ok(performance.now() - start > 29);
  assert.ok(instance.wasKilled());
  assert.ok(instance.restore());
  assert.ok(!instance.wasKilled());
  instance.arm(30);
  assert.equal(call['one']?.(), 1);
});

const endless: Readonly<Record<string, string>> = {
  'mutual tail calls': '(func $a (export "run") (return_call $b)) (func $b (return_call $a))',
  'indirect tail calls':
    '(type $t (func)) (table 1 funcref) (elem (i32.const 0) $a) (func $a (export "run") (return_call_indirect (type $t) (i32.const 0)))',
  'a loop that catches everything':
    '(func (export "run") (loop $l (try (do (throw $e)) (catch_all)) (br $l))) (tag $e)',
  'a loop around memory.fill':
    '(func (export "run") (loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (br $l)))',
  'a loop around memory.grow': '(func (export "run") (loop $l (drop (memory.grow (i32.const 0))) (br $l)))',
  'calls that double at every step': `(func $leaf) ${Array.from({ length: 40 }, (_, n) => `(func $d${n} (call ${n === 0 ? '$leaf' : `$d${n - 1}`}) (call ${n === 0 ? '$leaf' : `$d${n - 1}`}))`).join('')} (func (export "run") (call $d39))`,
  'a long function full of calls of leaves': `(func $leaf) (func $many ${'(call $leaf)'.repeat(5000)}) (func (export "run") (loop $l (call $many) (br $l)))`,
};
for (const [name, text] of Object.entries(endless)) {
  test(`no way around the CPU budget: ${name}`, () => {
    const { instance, call } = create(`${MEMORY} ${text}`);
    instance.arm(20);
    assert.throws(() => call['run']?.(), WebAssembly.RuntimeError);
    assert.ok(instance.wasKilled());
    assert.ok(instance.restore());
  });
}

test('an instance whose budget is used up does not run', () => {
  const { instance } = create(`${MEMORY} ${SPIN}`);
  instance.arm(-1);
  assert.throws(() => (instance.exports['spin'] as Call)(), WebAssembly.RuntimeError);
  assert.ok(instance.wasKilled());
});

test('a start function that does not end fails the creation with its reason', () => {
  const options = { initialBudgetMs: 20 };
  assert.throws(
    () => create(`${MEMORY} (func $s (loop $l (br $l))) (start $s)`, 2 ** 20, {}, options),
    (error: unknown) => error instanceof MayflyError && error.code === 'initialisation-timeout',
  );
});

test('start function and _initialize run before the snapshot', () => {
  const { instance, call } = create(`${MEMORY}
    (global $n (export "n") (mut i32) (i32.const 0))
    (func $s (i32.store (i32.const 2000) (i32.const 5))) (start $s)
    (func (export "_initialize") (global.set $n (i32.load (i32.const 2000))))
    (func (export "break") (global.set $n (i32.const 9)) (i64.store (i32.const 2000) (i64.const -1)))`);
  call['break']?.();
  assert.ok(instance.restore());
  assert.equal((instance.exports['n'] as WebAssembly.Global).value, 5);
  assert.equal(instance.bytes.readBigUInt64LE(2000), 5n);
});

test('memory stops at the limit; growth is not undone but said', () => {
  const { instance, call } = create(
    `(memory (export "memory") 1) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))`,
    3 * 65_536,
  );
  assert.equal(call['grow']?.(3), -1);
  assert.ok(instance.restore(), 'a failed growth changes nothing');
  assert.equal(call['grow']?.(2), 1);
  assert.equal(instance.bytes.length, 3 * 65_536, 'bytes follows the growth');
  assert.equal(call['grow']?.(1), -1);
  assert.ok(!instance.restore());
});

test('two memories share one limit', () => {
  const { call } = create(
    `(memory (export "memory") 1) (memory $b 1) (func (export "a") (result i32) (memory.grow 0 (i32.const 2))) (func (export "b") (result i32) (memory.grow $b (i32.const 1)))`,
    4 * 65_536,
  );
  assert.equal(call['a']?.(), -1);
  assert.equal(call['b']?.(), 1);
});

for (const [what, text] of Object.entries({
  'table.set': '(table.set (i32.const 0) (ref.null func))',
  'table.grow': '(drop (table.grow 0 (ref.null func) (i32.const 1)))',
  'elem.drop': '(elem.drop $p)',
  'data.drop': '(data.drop $d)',
})) {
  test(`restore refuses after ${what}, which it cannot undo`, () => {
    const { instance, call } = create(
      `${MEMORY} (table 2 funcref) (elem $p funcref (ref.null func)) (data $d "x") (func (export "run") ${text})`,
    );
    assert.ok(instance.restore());
    call['run']?.();
    assert.ok(!instance.restore());
  });
}

test('a table stops growing at the cap', () => {
  const { call } = create(
    `${MEMORY} (table 1 funcref) (func (export "grow") (result i32) (table.grow 0 (ref.null func) (i32.const 1048576)))`,
  );
  assert.equal(call['grow']?.(), -1);
});

test('what the host writes is undone when it says so', () => {
  const { instance } = create(MEMORY);
  instance.bytes.fill(1, 1000, 5000);
  instance.markWritten(1000, 4000);
  assert.ok(instance.restore());
  assert.equal(instance.restoredPages, 5);
  assert.ok(instance.bytes.every((byte) => byte === 0));
});

test('a large memory.copy that overlaps is as the specification has it', () => {
  const { instance, call } = create(
    `(memory (export "memory") 64) (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))`,
    2 ** 23,
  );
  const { bytes } = instance;
  for (let at = 0; at < bytes.length; at++) bytes[at] = (at * 31) ^ (at >> 9);
  for (const [to, from, length] of [
    [5, 0, 2_500_000],
    [0, 5, 2_500_000],
    [1_000_000, 0, 3_194_304],
    [9, 9, 2_000_000],
  ] as const) {
    const expected = Buffer.from(bytes).copyWithin(to, from, from + length);
    call['copy']?.(to, from, length);
    assert.ok(expected.equals(instance.bytes), `${to} ${from} ${length}`);
  }
  assert.throws(() => call['copy']?.(0, 2_000_000, 2_500_000), /out of bounds/);
});

test('instances with the same state share one image; the last one frees it', () => {
  const { instance, make } = create(`${MEMORY} (data (i32.const 4000) "image")`);
  const size = thread.imageMemory.bytes.length;
  instance.restore();
  const others = Array.from({ length: 100 }, make);
  assert.equal(thread.imageMemory.bytes.length, size);
  const address = thread.imageMemory.bytes.indexOf('image');
  assert.ok(address >= 0);
  assert.equal(thread.imageMemory.bytes.indexOf('image', address + 1), -1);
  for (const other of [instance, ...others]) other.dispose();
  assert.equal(thread.imageMemory.allocate(1), 0, 'the room is free again');
  thread.imageMemory.free(0, 1);
});

test('instances that initialised differently have images of their own', () => {
  let next = 0;
  const text = `(import "env" "next" (func $next (result i32))) ${MEMORY}
    (func (export "_initialize") (i32.store (i32.const 64) (call $next))) (func (export "clear") (i32.store (i32.const 64) (i32.const 0)))`;
  const { instance, make } = create(text, 2 ** 20, { env: { next: () => ++next } });
  instance.restore();
  const second = make();
  for (const [guest, value] of [
    [instance, 1],
    [second, 2],
  ] as const) {
    guest.arm(1000);
    (guest.exports['clear'] as Call)();
    assert.ok(guest.restore());
    assert.equal(guest.bytes.readInt32LE(64), value);
  }
});

test('an instance with a dirty map of its own may be in the middle of a call while others run', () => {
  const text = `(import "env" "pause" (func $pause)) ${MEMORY} (func (export "run") (i32.store (i32.const 0) (i32.const 1)) (call $pause))`;
  let pause: (() => void) | null = null;
  const imports = { env: { pause: () => pause?.() } };
  const other = create(text, 2 ** 20, imports);
  other.instance.restore();
  const suspended = create(text, 2 ** 20, imports, { dirty: new DirtyMap() });
  pause = () => {
    pause = null;
    other.instance.arm(1000);
    other.call['run']?.();
    assert.ok(other.instance.restore());
  };
  suspended.call['run']?.();
  assert.ok(suspended.instance.restore());
  assert.equal(suspended.instance.bytes.readInt32LE(0), 0);
});

test('an instance does not run while the marks of another one are needed', () => {
  const { instance, make } = create(MEMORY);
  assert.throws(make, /was not restored/);
  assert.ok(instance.restore());
  const other = make();
  instance.arm(1000);
  assert.throws(() => other.arm(1000), /was not restored/);
  instance.dispose();
  other.arm(1000);
  other.dispose();
});
