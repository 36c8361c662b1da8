import fc from 'fast-check';
import type { DrivenCall } from '../../support/pod/driver.ts';
import { FUNCTIONS, type GuestModule, guestModules } from '../prepare/guest-module.ts';

/** The argument of `alloc` that makes `handle` return a digest of all state instead of calling a function. */
export const PROBE = FUNCTIONS;

/** `alloc` chooses the function that `handle` calls; the digest covers memory, globals, table and passive segments. */
const definitions = `
  (global $which (mut i32) (i32.const 0))
  (func (export "alloc") (param i32) (result i32) (global.set $which (local.get 0)) (i32.const 8))
  (func (export "handle") (param i32 i32) (result i64)
    ${Array.from(
      { length: FUNCTIONS },
      (_, index) =>
        `(if (i32.eq (global.get $which) (i32.const ${index})) (then (return (i64.extend_i32_u (call $f${index} (local.get 0) (local.get 1))))))`,
    ).join('\n')}
    (call $probe))
  (func $mix (param i64 i64) (result i64) (i64.add (i64.mul (i64.rotl (local.get 0) (i64.const 7)) (i64.const 0x9e3779b97f4a7c15)) (local.get 1)))
  (func $probe (result i64) (local $h i64) (local $at i32)
    (local.set $h (i64.extend_i32_u (memory.size)))
    (loop $words
      (local.set $h (call $mix (local.get $h) (i64.load (local.get $at))))
      (br_if $words (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.shl (memory.size) (i32.const 16)))))
    ${[
      '(i64.extend_i32_u (global.get $g32))',
      '(global.get $g64)',
      '(i64.extend_i32_u (i32.reinterpret_f32 (global.get $f32)))',
      '(i64.reinterpret_f64 (global.get $f64))',
      '(i64x2.extract_lane 0 (global.get $v128))',
      '(i64x2.extract_lane 1 (global.get $v128))',
      '(i64.extend_i32_u (ref.is_null (global.get $ref)))',
      '(i64.extend_i32_u (global.get $fuel))',
      '(i64.extend_i32_u (table.size $t))',
    ]
      .map((value) => `(local.set $h (call $mix (local.get $h) ${value}))`)
      .join('\n')}
    (local.set $at (i32.const 0))
    (loop $elements
      (local.set $h (call $mix (local.get $h) (i64.extend_i32_u (ref.is_null (table.get $t (local.get $at))))))
      (br_if $elements (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (table.size $t))))
    (call $segments)
    (local.get $h))
  (func $segments (memory.init $passive (i32.const 0) (i32.const 0) (i32.const 7)) (table.init $t $elements (i32.const 0) (i32.const 0) (i32.const 2)))`;

export const podGuest: fc.Arbitrary<GuestModule> = guestModules({
  memories: 1,
  exceptions: false,
  imports: '(import "mayfly" "log" (func $log (param i32 i32 i32)))',
  definitions: `${definitions}
  (func $tick (call $log (i32.const 0) (i32.const 0) (i32.const 0)))`,
});

const argument = fc.oneof(
  fc.integer(),
  fc.nat(200_000),
  fc
    .tuple(fc.constantFrom(0, 1024, 65_536, 131_072, 196_608), fc.integer({ min: -17, max: 2 }))
    .map(([edge, near]) => edge + near),
);
const call = fc.record({ func: fc.nat(FUNCTIONS - 1), first: argument, second: argument });
const probe = { func: PROBE, first: 0, second: 0, isLast: true };

/** Requests of one to three calls, each with a look at the state it left, and a look at the state it was put back to. */
export const calls: fc.Arbitrary<readonly DrivenCall[]> = fc
  .array(fc.array(call, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 6 })
  .map((requests) =>
    requests.flatMap((request) => [...request.map((entry) => ({ ...entry, isLast: false })), probe, probe]),
  );
