import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import wabt from 'wabt';
import { createEpochMemory } from '../epoch-memory.ts';
import { Instance } from '../instance.ts';
import { RuntimeThread } from '../runtime-thread.ts';
import { prepare } from './prepare.ts';

const toolkit = await wabt();
const thread = new RuntimeThread(createEpochMemory());

/** Near the borders of pages, where a mark that is missing shows. */
const address = fc
  .tuple(fc.integer({ min: 1, max: 62 }), fc.integer({ min: -20, max: 4 }))
  .map(([page, distance]) => page * 1024 + distance);
const local = fc.constantFrom('$a', '$b');
const value = fc.constantFrom(
  ['i32.store', '(i32.const -1)'],
  ['i64.store', '(i64.const -1)'],
  ['i32.store8', '(i32.const -1)'],
  ['i64.store16', '(i64.const -1)'],
  ['f64.store', '(f64.const -1.1)'],
  ['i32.store', '(local.get $a)'],
  ['v128.store', '(v128.const i64x2 -1 -1)'],
  ['i32.store16', '(global.get $ones)'],
);
const store = fc
  .tuple(value, fc.constantFrom(0, 1), local, fc.integer({ min: 0, max: 36 }))
  .map(
    ([[name, stored], memory, at, offset]) =>
      `(${name} ${memory} offset=${offset} (local.get ${at}) ${stored})`,
  );
const other = fc.oneof(
  fc.tuple(local, address).map(([to, at]) => `(local.set ${to} (i32.const ${at}))`),
  fc.tuple(local, address).map(([to, at]) => `(drop (local.tee ${to} (i32.const ${at})))`),
  fc
    .tuple(local, address, store)
    .map(([to, at, then]) => `(i32.store8 (local.tee ${to} (i32.const ${at})) (i32.const 1)) ${then}`),
  store.map((inner) => `(block (br_if 0 (local.get $skip)) ${inner})`),
  store.map((inner) => `(if (local.get $skip) (then ${inner}))`),
  fc
    .tuple(store, store)
    .map(([then, otherwise]) => `(if (local.get $skip) (then ${then}) (else ${otherwise}))`),
);

test('whatever is stored beside what was just marked, restore puts it back', () => {
  const body = fc.array(fc.oneof({ weight: 3, arbitrary: store }, { weight: 1, arbitrary: other }), {
    minLength: 2,
    maxLength: 12,
  });
  fc.assert(
    fc.property(body, address, address, fc.constantFrom(0, 1), (code, a, b, skip) => {
      const text = `(module (memory (export "m0") 1) (memory (export "m1") 1) (global $ones i32 (i32.const -1))
        (data (memory 0) (i32.const 30000) "image") (func (export "run") (param $a i32) (param $b i32) (param $skip i32) ${code.join('\n')}))`;
      const module = toolkit.parseWat('guest.wat', text, {
        multi_memory: true,
        simd: true,
        bulk_memory: true,
      } as never);
      const prepared = prepare(new Uint8Array(module.toBinary({}).buffer), { memoryBytes: 2 ** 20 });
      module.destroy();
      const instance = Instance.create(thread, new WebAssembly.Module(prepared.wasm), prepared.info, {});
      const memories = ['m0', 'm1'].map((name) =>
        Buffer.from((instance.exports[name] as WebAssembly.Memory).buffer),
      );
      const before = memories.map((memory) => Buffer.from(memory));
      instance.arm(10_000);
      (instance.exports['run'] as (...values: number[]) => void)(a, b, skip);
      assert.ok(instance.restore());
      assert.deepEqual(memories, before);
      instance.dispose();
    }),
    { numRuns: 1000 },
  );
});
