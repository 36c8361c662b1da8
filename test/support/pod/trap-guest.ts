/** A guest with one function for each thing that traps, and what each argument is to give. */
import { assembleText, type DrivenCall } from './driver.ts';

/** `text` leaves an i64; it may use the parameters `$a` and `$b` (i32) and the functions and tables of `definitions`. */
export interface Attempt {
  readonly name: string;
  readonly text: string;
  readonly status: 1 | 2;
}

const trap = (name: string, text: string): Attempt => ({ name, text, status: 1 });
const i32 = (text: string): string => `(i64.extend_i32_u ${text})`;
const does = (text: string): string => `${text} (i64.const 1)`;

const truncations = ['i32', 'i64'].flatMap((to) =>
  ['f32', 'f64'].flatMap((from) =>
    ['s', 'u'].flatMap((sign) =>
      ['nan', 'inf', '-1e30', ...(sign === 'u' ? ['-1'] : [])].map((value) => {
        const text = `(${to}.trunc_${from}_${sign} (${from}.const ${value}))`;
        return trap(`${to}.trunc_${from}_${sign} of ${value}`, to === 'i32' ? i32(text) : text);
      }),
    ),
  ),
);
const divisions = ['i32', 'i64'].flatMap((type) => {
  const extend = type === 'i32' ? i32 : (text: string) => text;
  const lowest = type === 'i32' ? '0x80000000' : '0x8000000000000000';
  return [
    ...['div_s', 'div_u', 'rem_s', 'rem_u'].map((name) =>
      trap(`${type}.${name} by zero`, extend(`(${type}.${name} (${type}.const 7) (${type}.const 0))`)),
    ),
    trap(`${type}.div_s overflows`, extend(`(${type}.div_s (${type}.const ${lowest}) (${type}.const -1))`)),
  ];
});

export const attempts: readonly Attempt[] = [
  trap('unreachable', 'unreachable'),
  trap('unreachable in blocks', '(block (loop (if (i32.const 1) (then unreachable)))) (i64.const 1)'),
  ...divisions,
  ...truncations,
  trap('an element that is null', i32('(call_indirect $t (type $number) (i32.const 2))')),
  trap('an element of another type', i32('(call_indirect $t (type $number) (i32.const 1))')),
  trap('an element behind the table', i32('(call_indirect $t (type $number) (i32.const 4))')),
  trap('an element far behind the table', i32('(call_indirect $t (type $number) (i32.const -1))')),
  trap(
    'a tail call of another type',
    '(return_call_indirect $t (type $try) (local.get $a) (local.get $b) (i32.const 0))',
  ),
  trap('a load far outside', i32('(i32.load (i32.const -4))')),
  trap('a load with a large offset', i32('(i32.load offset=4294967295 (i32.const 0))')),
  trap('a load just behind the end', i32('(i32.load8_u (i32.const 65536))')),
  trap('a vector load outside', '(i64x2.extract_lane 0 (v128.load (i32.const -16)))'),
  trap(
    'a lane load outside',
    '(i64x2.extract_lane 0 (v128.load8_lane 0 (i32.const -1) (v128.const i64x2 0 0)))',
  ),
  trap('a store far outside', does('(i32.store (i32.const -4) (i32.const 1))')),
  trap(
    'a store of a computed value outside',
    does('(i64.store8 (i32.add (local.get $a) (i32.const -9)) (i64.mul (i64.const 3) (i64.const 4)))'),
  ),
  trap('a vector store outside', does('(v128.store (i32.const -1) (v128.const i64x2 0 0))')),
  trap('memory.fill across the end', does('(memory.fill (i32.const 65535) (i32.const 1) (i32.const 2))')),
  trap(
    'memory.copy from behind the end',
    does('(memory.copy (i32.const 0) (i32.const 65530) (i32.const 7))'),
  ),
  trap('memory.copy to behind the end', does('(memory.copy (i32.const 65530) (i32.const 0) (i32.const 7))')),
  trap(
    'memory.init behind its segment',
    does('(memory.init $passive (i32.const 0) (i32.const 1) (i32.const 3))'),
  ),
  trap(
    'memory.init of a dropped segment',
    does('(data.drop $passive) (memory.init $passive (i32.const 0) (i32.const 0) (i32.const 1))'),
  ),
  trap('table.get outside', i32('(ref.is_null (table.get $t (i32.const 4)))')),
  trap('table.set outside', does('(table.set $t (i32.const 4) (ref.null func))')),
  trap('table.fill outside', does('(table.fill $t (i32.const 3) (ref.null func) (i32.const 2))')),
  trap('table.copy outside', does('(table.copy $t $t (i32.const 3) (i32.const 0) (i32.const 2))')),
  trap('table.init outside', does('(table.init $t $elements (i32.const 0) (i32.const 0) (i32.const 2))')),
  trap(
    'table.init of a dropped segment',
    does('(elem.drop $elements) (table.init $t $elements (i32.const 0) (i32.const 0) (i32.const 1))'),
  ),
  trap('recursion without end', i32('(call $deep (i32.const 0))')),
  trap('recursion through a table without end', i32('(call_indirect $t (type $number) (i32.const 3))')),
  trap(
    'recursion of a function with a large frame',
    '(call $wide (i64.const 0) (i64.const 1) (i64.const 2) (i64.const 3))',
  ),
  trap('a tail call without end', '(return_call $tail (local.get $a) (local.get $b))'),
  { name: 'a loop without end', text: '(loop $l (br $l)) (i64.const 1)', status: 2 },
  {
    name: 'a loop of fills without end',
    text: '(loop $l (memory.fill (i32.const 0) (i32.const 0) (i32.const 65536)) (br $l)) (i64.const 1)',
    status: 2,
  },
  {
    name: 'loops in loops without end',
    text: '(loop $o (loop $l (call $leaf) (br_if $l (i32.const 1))) (br $o)) (i64.const 1)',
    status: 2,
  },
  { name: 'calls that double', text: '(call $double (i32.const 100)) (i64.const 1)', status: 2 },
];

/** Many values stay alive over the recursive call. */
const wide = Array.from(
  { length: 200 },
  (_, index) =>
    `(local.set $v${index} (i64.mul (i64.add (local.get $p) (i64.const ${index})) (i64.xor (local.get $q) (local.get $r))))`,
);
const wideSum = Array.from(
  { length: 200 },
  (_, index) => `(local.set $s (i64.add (i64.rotl (local.get $s) (i64.const 3)) (local.get $v${index})))`,
);

/** A request that writes all kinds of state, and then fails in the `handle` argument's way; `count` requests were there before. */
export const trapGuest = assembleText(`(module
  (type $number (func (result i32)))
  (type $other (func (param i64) (result i32)))
  (type $try (func (param i32 i32) (result i64)))
  (memory (export "memory") 1 1)
  (table $t 4 4 funcref)
  (elem (table $t) (i32.const 0) func $one $other)
  (elem (table $t) (i32.const 3) func $again)
  (elem $elements func $one)
  (data $passive "abc")
  (global $which (mut i32) (i32.const 0))
  (global $count (mut i32) (i32.const 0))
  (func $one (type $number) (i32.const 1))
  (func $other (type $other) (i32.const 2))
  (func $again (type $number) (i32.add (i32.const 1) (call_indirect $t (type $number) (i32.const 3))))
  (func $deep (param i32) (result i32) (i32.add (call $deep (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
  (func $wide (param $p i64) (param $q i64) (param $r i64) (param $x i64) (result i64) (local $s i64)
    ${Array.from({ length: 200 }, (_, index) => `(local $v${index} i64)`).join(' ')}
    ${wide.join('\n')}
    (local.set $s (call $wide (local.get $q) (local.get $r) (local.get $x) (local.get $p)))
    ${wideSum.join('\n')}
    (local.get $s))
  (func $leaf)
  (func $tail (type $try) (return_call $tail (local.get 1) (local.get 0)))
  (func $double (param i32) (if (local.get 0) (then
    (call $double (i32.sub (local.get 0) (i32.const 1)))
    (call $double (i32.sub (local.get 0) (i32.const 1))))))
  ${attempts.map(({ text }, index) => `(func $try${index} (type $try) (param $a i32) (param $b i32) (result i64) ${text})`).join('\n')}
  (func (export "alloc") (param i32) (result i32) (global.set $which (local.get 0)) (i32.const 16))
  (func (export "handle") (param i32 i32) (result i64)
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (i32.store (i32.const 1000) (i32.add (i32.load (i32.const 1000)) (i32.const 1)))
    ${attempts.map((_, index) => `(if (i32.eq (global.get $which) (i32.const ${index})) (then (return (call $try${index} (local.get 0) (local.get 1)))))`).join('\n')}
    (i64.extend_i32_u (i32.add (global.get $count) (i32.load (i32.const 1000))))))`);

/** Each attempt is a request, and after each comes one that tells whether it finds state of an earlier one: it gives 2. */
export const attemptCalls: readonly DrivenCall[] = attempts.flatMap((_, func) => [
  { func, first: 0, second: 0, isLast: true },
  { func: attempts.length, first: 0, second: 0, isLast: true },
]);
