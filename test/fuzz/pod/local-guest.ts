import fc from 'fast-check';
import type { DrivenCall } from '../../support/pod/driver.ts';

/**
 * Guests that use the same locals as addresses again and again, set anew on some paths and not on others: what the
 * linker knows of them must hold on every path. Every address is well inside the memory or outside of it.
 */
const LOCALS = 3;
const local = fc.nat(LOCALS - 1).map((index) => `$p${index}`);
const offset = fc.constantFrom(0, 4, 100, 251, 252, 253, 300, 1020);
const place = fc.constantFrom(0, 1000, 1020, 2040, 5000, 40_000, 65_536, 100_000, -4);
const condition = fc.nat(15).map((bit) => `(i32.and (local.get 0) (i32.const ${1 << bit}))`);
const depth = fc.nat(2);

const store = fc
  .tuple(local, offset, fc.nat(255))
  .map(([at, plus, value]) => `(i32.store offset=${plus} (local.get ${at}) (i32.const ${value + 1}))`);
const load = fc
  .tuple(local, offset)
  .map(
    ([at, plus]) => `(local.set $sum (i32.add (local.get $sum) (i32.load offset=${plus} (local.get ${at}))))`,
  );
const set = fc.tuple(local, place).map(([at, value]) => `(local.set ${at} (i32.const ${value}))`);
const tee = fc
  .tuple(local, place, offset)
  .map(
    ([at, value, plus]) =>
      `(i32.store offset=${plus} (local.tee ${at} (i32.const ${value})) (local.get $sum))`,
  );
const other = fc.tuple(local, local).map(([at, from]) => `(local.set ${at} (local.get ${from}))`);
const atConstant = fc
  .tuple(place, fc.nat(255))
  .map(([at, value]) => `(i32.store8 (i32.const ${at}) (i32.const ${value}))`);
const branch = fc.tuple(depth, condition).map(([label, when]) => `(br_if ${label} ${when})`);
const table = fc
  .tuple(depth, depth)
  .map(
    ([one, two]) =>
      `(if (i32.and (local.get 0) (i32.const 64)) (then (br_table ${one} ${two} (local.get $sum))))`,
  );

const { statement } = fc.letrec<{ statement: string }>((tie) => {
  const body = fc.array(tie('statement'), { minLength: 1, maxLength: 5 }).map((list) => list.join('\n'));
  return {
    statement: fc.oneof(
      { maxDepth: 4, depthSize: 'medium' },
      { weight: 5, arbitrary: store },
      { weight: 2, arbitrary: load },
      { weight: 3, arbitrary: set },
      { weight: 1, arbitrary: tee },
      { weight: 1, arbitrary: other },
      { weight: 1, arbitrary: atConstant },
      { weight: 2, arbitrary: branch },
      { weight: 1, arbitrary: table },
      { weight: 1, arbitrary: fc.constant('(call $nothing)') },
      { weight: 3, arbitrary: body.map((text) => `(block ${text})`) },
      {
        weight: 2,
        arbitrary: fc.tuple(condition, body).map(([when, text]) => `(if ${when} (then ${text}))`),
      },
      {
        weight: 2,
        arbitrary: fc
          .tuple(condition, body, body)
          .map(([when, yes, no]) => `(if ${when} (then ${yes}) (else ${no}))`),
      },
      {
        weight: 2,
        arbitrary: fc
          .tuple(body, condition)
          .map(([text, when]) => `(block (loop (call $spend) ${text} (br_if 0 ${when})))`),
      },
    ),
  };
});

/** Branches of depth 2 need two blocks around; fuel ends loops, by a trap. */
export const localGuest: fc.Arbitrary<string> = fc.array(statement, { minLength: 2, maxLength: 10 }).map(
  (statements) => `(module
    (memory (export "memory") 1)
    (global $probing (mut i32) (i32.const 0))
    (global $fuel (mut i32) (i32.const 40))
    (func $nothing)
    (func $spend
      (global.set $fuel (i32.sub (global.get $fuel) (i32.const 1)))
      (if (i32.lt_s (global.get $fuel) (i32.const 0)) (then unreachable)))
    (func (export "alloc") (param i32) (result i32) (global.set $probing (local.get 0)) (i32.const 8))
    (func $run (param i32 i32) (result i64) (local $p0 i32) (local $p1 i32) (local $p2 i32) (local $sum i32)
      (local.set $p1 (local.get 1))
      (block (block (loop (call $spend) ${statements.join('\n')})))
      (i64.extend_i32_u (local.get $sum)))
    (func (export "handle") (param i32 i32) (result i64) (local $h i64) (local $at i32)
      (if (i32.eqz (global.get $probing)) (then (return (call $run (local.get 0) (local.get 1)))))
      (loop $words
        (local.set $h (i64.add (i64.mul (i64.rotl (local.get $h) (i64.const 7)) (i64.const 0x9e3779b97f4a7c15)) (i64.load (local.get $at))))
        (br_if $words (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 65536))))
      (local.get $h)))`,
);

const probe = { func: 1, first: 0, second: 0, isLast: true };

export const localCalls: fc.Arbitrary<readonly DrivenCall[]> = fc
  .array(fc.tuple(fc.nat(65_535), place), { minLength: 1, maxLength: 5 })
  .map((requests) =>
    requests.flatMap(([first, second]) => [{ func: 0, first, second, isLast: false }, probe, probe]),
  );
