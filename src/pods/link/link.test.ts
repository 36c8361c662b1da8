import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MayflyError } from '../../model/errors.ts';
import { assembleText, driver, linkDriven, runHere } from '../../../test/support/pod/driver.ts';
import { linkPod } from './link.ts';

const HANDLER = `(memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 16))
  (func (export "handle") (param i32 i32) (result i64) (i64.extend_i32_u (i32.load8_u (i32.const 7))))`;
const options = { memoryBytes: 2 ** 20, arenaBytes: 65_536, settings: new Uint8Array(4) };

function refusal(wasm: Uint8Array, changed: Partial<typeof options> = {}): MayflyError {
  try {
    linkPod(wasm, driver, { ...options, ...changed });
  } catch (error) {
    assert.ok(error instanceof MayflyError, String(error));
    return error;
  }
  return assert.fail('it was linked');
}

/** Instructions that the assembler does not know are put in place of others. */
const patched = (text: string, from: readonly number[], to: readonly number[]): Uint8Array => {
  const wasm = Buffer.from(assembleText(text));
  const at = wasm.indexOf(Buffer.from(from));
  assert.ok(at > 0);
  wasm.set(to, at);
  return wasm;
};

const refused: readonly [what: string, wasm: Uint8Array, words: RegExp][] = [
  ['two memories', assembleText(`(module ${HANDLER} (memory 1))`), /more than one memory/],
  ['exceptions', assembleText(`(module ${HANDLER} (tag $e) (func (throw $e)))`), /exceptions/],
  [
    'exceptions that are caught',
    assembleText(`(module ${HANDLER} (func (try (do) (catch_all))))`),
    /exceptions/,
  ],
  [
    'relaxed SIMD',
    patched(
      `(module ${HANDLER} (func (param v128) (result v128) (i64x2.extmul_high_i32x4_u (local.get 0) (local.get 0))))`,
      [0xfd, 0xdf, 0x01],
      [0xfd, 0x80, 0x02],
    ),
    /relaxed SIMD/,
  ],
  [
    'what pods do not offer',
    assembleText(`(module (import "mayfly" "random" (func (param i32 i32))) ${HANDLER})`),
    /imports what pods do not offer \(mayfly\.random\)/,
  ],
  [
    'what no function is given',
    assembleText(`(module (import "env" "socket" (func)) ${HANDLER})`),
    /env\.socket, which functions are not given/,
  ],
  ['data outside', assembleText(`(module ${HANDLER} (data (i32.const 65536) "x"))`), /outside of its memory/],
  ['no function at all', assembleText('(module)'), /not a function/],
  ['something else', Buffer.from('#!/bin/sh'), /not valid WebAssembly/],
  ['a body that ends early', assembleText(`(module ${HANDLER})`).subarray(0, -3), /not valid WebAssembly/],
];

test('what WasmEdge does not run is refused by name', () => {
  for (const [what, wasm, words] of refused) assert.match(refusal(wasm).message, words, what);
});

test('a memory that does not fit twice into 32 bits is refused, with the way out', () => {
  const error = refusal(assembleText(`(module ${HANDLER})`), { memoryBytes: 2 ** 32 - 65_536 });
  assert.match(error.message, /memory limit is too large.*1900MiB/);
});

test('the largest memory that is allowed can be linked', () => {
  assert.ok(
    WebAssembly.validate(
      linkPod(assembleText(`(module ${HANDLER})`), driver, { ...options, memoryBytes: 1900 * 2 ** 20 }),
    ),
  );
});

test('the same input gives the same bytes', () => {
  const guest = assembleText(`(module ${HANDLER} (data (i32.const 7) "x"))`);
  assert.deepEqual(linkPod(guest, driver, options), linkPod(guest, driver, options));
});

test('constant expressions that WasmEdge does not know are computed', () => {
  const guest = assembleText(`(module ${HANDLER.replace('i32.const 7', 'global.get 1')}
    (global i32 (i32.const 5)) (global i32 (i32.add (i32.mul (global.get 0) (i32.const 2)) (i32.const -3))) (data (global.get 1) "A"))`);
  const [, outcome] = runHere(linkDriven(guest, [{ func: 0, first: 0, second: 0, isLast: true }]));
  assert.equal(outcome?.result, 65n);
});

test('a guest sees neither the adapter nor the snapshot: no address of its own reaches below it', () => {
  const guest = assembleText(`(module (memory (export "memory") 1)
    (func (export "alloc") (param i32) (result i32) (i32.const 16))
    (func (export "handle") (param i32 i32) (result i64) (i64.load (local.get 0))))`);
  const addresses = [0, 65_528, 65_536, 2 ** 30, 2 ** 31 - 1, -(2 ** 31), -(2 ** 30), -65_536, -8, -1];
  const calls = addresses.map((first) => ({ func: 0, first, second: 0, isLast: true }));
  const [, ...outcomes] = runHere(linkDriven(guest, calls));
  for (const [index, address] of addresses.entries()) {
    const isInside = address >= 0 && address < 65_536;
    assert.deepEqual(
      outcomes[index],
      { status: isInside ? 0 : 1, result: isInside ? 0n : outcomes[index - 1]?.result },
      String(address),
    );
  }
});

test('memory stays within its limit, and what a request grew by is gone after it', () => {
  const guest = assembleText(`(module (memory (export "memory") 1)
    (func (export "alloc") (param i32) (result i32) (i32.const 16))
    (func (export "handle") (param i32 i32) (result i64) (local $old i32)
      (local.set $old (memory.grow (local.get 0)))
      (if (i32.ge_s (local.get $old) (i32.const 0)) (then
        (i32.store8 (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 1)) (i32.const 1))))
      (i64.or (i64.shl (i64.extend_i32_u (memory.size)) (i64.const 32)) (i64.extend_i32_u (local.get $old)))))`);
  const grow = (pages: number) => ({ func: 0, first: pages, second: 0, isLast: true });
  const [, ...outcomes] = runHere(linkDriven(guest, [15, 16, -1, 2, 0].map(grow), 2 ** 20));
  const seen = outcomes.map(({ result }) => [Number(result >> 32n), Number(BigInt.asIntN(32, result))]);
  assert.deepEqual(seen, [
    [16, 1],
    [1, -1],
    [1, -1],
    [3, 1],
    [1, 1],
  ]);
});
