import fc from 'fast-check';
import wabt from 'wabt';

/**
 * Generates modules that do everything a guest can do to its state: stores of every width at addresses near every edge,
 * bulk operations, growth, tables, segments, globals of every type, exceptions, calls of every kind, traps, recursion.
 */
export interface GuestModule {
  readonly text: string;
  readonly functions: number;
  /** Whether it has instructions that change tables or drop segments. */
  readonly changesTables: boolean;
}

/** What the modules may use, and what they have beside `f0` to `f3`. */
export interface GuestVariant {
  readonly memories: 1 | 2;
  readonly exceptions: boolean;
  /** Imports; among the definitions must be the function `$tick`. */
  readonly imports: string;
  readonly definitions: string;
}

export const FUNCTIONS = 4;
/** Initial and maximum size of both memories, in pages. */
export const MEMORY_PAGES = [
  [1, 3],
  [2, 2],
] as const;

const STORES = [
  ['i32.store', 'i32'],
  ['i32.store8', 'i32'],
  ['i32.store16', 'i32'],
  ['i64.store', 'i64'],
  ['i64.store8', 'i64'],
  ['i64.store16', 'i64'],
  ['i64.store32', 'i64'],
  ['f32.store', 'f32'],
  ['f64.store', 'f64'],
  ['v128.store', 'v128'],
] as const;
const LANE_STORES = [
  ['v128.store8_lane', 15],
  ['v128.store16_lane', 7],
  ['v128.store32_lane', 3],
  ['v128.store64_lane', 1],
] as const;

/** A value of each type that depends on what the function computed so far, so that a difference spreads. */
const VALUES = {
  i32: '(local.get $sum)',
  i64: '(i64.extend_i32_u (local.get $sum))',
  f32: '(f32.reinterpret_i32 (local.get $sum))',
  f64: '(f64.convert_i32_s (local.get $sum))',
  v128: '(i32x4.splat (local.get $sum))',
} as const;

const offset = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(0, 0, 1, 7, 15, 240, 255, 1023, 1024) },
  { weight: 1, arbitrary: fc.nat(70_000) },
  { weight: 1, arbitrary: fc.constantFrom(65_535, 4_294_967_295) },
);
const small = fc.nat(4);

const within = (value: string, mask: number) => `(i32.and ${value} (i32.const ${mask}))`;

/** An address: mostly inside the first page, sometimes near an edge, seldom anything. */
const address = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .constantFrom('(local.get 0)', '(local.get 1)', '(local.get $sum)')
      .map((value) => within(value, 0x7fff)),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(1024, 2048, 32_768), fc.integer({ min: -20, max: 20 }))
      .map(([edge, near]) => `(i32.const ${edge + near})`),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(65_536, 131_072, 196_608), fc.integer({ min: -20, max: 1 }))
      .map(([edge, near]) => `(i32.const ${edge + near})`),
  },
  { weight: 1, arbitrary: fc.constantFrom('(local.get 0)', '(local.get 1)', '(local.get $sum)') },
);
const length = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.constantFrom(
      '(i32.const 0)',
      '(i32.const 1)',
      '(i32.const 2049)',
      within('(local.get 1)', 0xfff),
    ),
  },
  { weight: 1, arbitrary: fc.nat(70_000).map((bytes) => `(i32.const ${bytes})`) },
  { weight: 1, arbitrary: fc.constant('(local.get 1)') },
);

const add = (value: string) =>
  `(local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) ${value}))`;

/** Statements of a function's body. */
function statements({ memories, exceptions }: GuestVariant): fc.Arbitrary<string> {
  const memoryIndex = fc.nat(memories - 1);
  const store = fc
    .tuple(fc.constantFrom(...STORES), memoryIndex, offset, address)
    .map(
      ([[name, type], memory, at, where]) =>
        `(${name} ${memory} offset=${at} align=1 ${where} ${VALUES[type]})`,
    );
  const laneStore = fc
    .tuple(fc.constantFrom(...LANE_STORES), offset, address, fc.nat())
    .map(
      ([[name, lanes], at, where, lane]) =>
        `(${name} offset=${at} align=1 ${lane % (lanes + 1)} ${where} ${VALUES.v128})`,
    );
  const load = fc
    .tuple(memoryIndex, offset, address)
    .map(([memory, at, where]) => add(`(i32.load8_u ${memory} offset=${at} ${where})`));
  const bulk = fc.oneof(
    fc
      .tuple(memoryIndex, address, length)
      .map(([memory, to, bytes]) => `(memory.fill ${memory} ${to} (local.get $sum) ${bytes})`),
    fc
      .tuple(memoryIndex, memoryIndex, address, address, length)
      .map(([target, source, to, from, bytes]) => `(memory.copy ${target} ${source} ${to} ${from} ${bytes})`),
    fc
      .tuple(address, small, small)
      .map(([to, from, bytes]) => `(memory.init $passive ${to} (i32.const ${from}) (i32.const ${bytes}))`),
  );
  const growth = fc
    .tuple(memoryIndex, small)
    .map(([memory, pages]) => add(`(memory.grow ${memory} (i32.const ${pages}))`));
  const size = memoryIndex.map((memory) => add(`(memory.size ${memory})`));
  const globals = fc.constantFrom(
    '(global.set $g32 (local.get $sum))',
    `(global.set $g64 ${VALUES.i64})`,
    `(global.set $f32 ${VALUES.f32})`,
    `(global.set $f64 ${VALUES.f64})`,
    `(global.set $v128 ${VALUES.v128})`,
    '(global.set $ref (ref.func $f1))',
    '(global.set $ref (ref.null func))',
    add('(global.get $g32)'),
    add('(ref.is_null (global.get $ref))'),
  );
  const tables = fc.oneof(
    fc
      .tuple(small, small)
      .map(([at, func]) => `(table.set $t (i32.const ${at}) (ref.func $f${func % FUNCTIONS}))`),
    small.map((elements) => add(`(table.grow $t (ref.null func) (i32.const ${elements}))`)),
    fc
      .tuple(small, small)
      .map(([at, count]) => `(table.fill $t (i32.const ${at}) (ref.null func) (i32.const ${count}))`),
    fc
      .tuple(small, small, small)
      .map(
        ([to, from, count]) =>
          `(table.copy $t $t (i32.const ${to}) (i32.const ${from}) (i32.const ${count}))`,
      ),
    fc
      .tuple(small, small, small)
      .map(
        ([to, from, count]) =>
          `(table.init $t $elements (i32.const ${to}) (i32.const ${from}) (i32.const ${count}))`,
      ),
    fc.constantFrom('(elem.drop $elements)', '(data.drop $passive)'),
  );
  const inputs = '(local.get 1) (local.get $sum)';
  const calls = fc.oneof(
    fc.nat(FUNCTIONS - 1).map((func) => add(`(call $f${func} ${inputs})`)),
    small.map((at) => add(`(call_indirect $t (type $function) ${inputs} (i32.const ${at}))`)),
    fc.nat(FUNCTIONS - 1).map((func) => `(return_call $f${func} ${inputs})`),
  );
  const endings = fc.constantFrom(
    '(if (i32.eqz (i32.and (local.get $sum) (i32.const 3))) (then unreachable))',
    add('(i32.div_u (local.get 0) (i32.and (local.get $sum) (i32.const 15)))'),
    '(if (i32.eqz (i32.and (local.get $sum) (i32.const 7))) (then (call $deep)))',
    '(call $tick)',
    ...(exceptions
      ? ['(if (i32.eqz (i32.and (local.get $sum) (i32.const 3))) (then (throw $failure (local.get $sum))))']
      : []),
  );

  const tree = fc.letrec<{ statement: string }>((tie) => ({
    statement: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      { weight: 6, arbitrary: store },
      { weight: 2, arbitrary: laneStore },
      { weight: 2, arbitrary: load },
      { weight: 3, arbitrary: bulk },
      { weight: 1, arbitrary: growth },
      { weight: 1, arbitrary: size },
      { weight: 3, arbitrary: globals },
      { weight: 1, arbitrary: tables },
      { weight: 2, arbitrary: calls },
      { weight: 1, arbitrary: endings },
      {
        weight: 1,
        arbitrary: block(
          tie('statement'),
          (body) => `(if (i32.lt_u (local.get $sum) (local.get 0)) (then ${body}))`,
        ),
      },
      ...(exceptions ? caught(tie('statement')) : []),
      {
        weight: 1,
        arbitrary: block(
          tie('statement'),
          (body) =>
            `(loop $again (call $spend) ${body} (br_if $again (i32.and (local.get $sum) (i32.const 1))))`,
        ),
      },
    ),
  }));
  return tree.statement;
}

function caught(content: fc.Arbitrary<string>) {
  const recovery = ['(catch_all ' + add('(i32.const 5)') + ')', '(catch $failure (local.set $sum))'];
  return recovery.map((handler) => ({
    weight: 1,
    arbitrary: block(content, (body) => `(try (do ${body}) ${handler})`),
  }));
}

function block(content: fc.Arbitrary<string>, wrap: (body: string) => string): fc.Arbitrary<string> {
  return fc.array(content, { minLength: 1, maxLength: 4 }).map((statements) => wrap(statements.join('\n')));
}

export function guestModules(variant: GuestVariant): fc.Arbitrary<GuestModule> {
  const body = fc.array(statements(variant), { minLength: 1, maxLength: 10 }).map((list) => list.join('\n'));
  return fc
    .tuple(fc.array(body, { minLength: FUNCTIONS, maxLength: FUNCTIONS }), fc.boolean())
    .map(([bodies, withStart]) => ({
      text: moduleText(variant, bodies, withStart),
      functions: FUNCTIONS,
      changesTables: /table\.(set|grow|fill|copy|init)|\.drop/.test(bodies.join()),
    }));
}

/** Everything that a function may use. */
export const guestModule = guestModules({
  memories: 2,
  exceptions: true,
  imports: '(import "env" "tick" (func $tick))',
  definitions: '',
});

/** Every function spends from a global, so that nothing runs for long; `$deep` alone recurses without end. */
function moduleText(variant: GuestVariant, bodies: readonly string[], withStart: boolean): string {
  const { memories, exceptions, imports, definitions } = variant;
  const functions = bodies.map(
    (text, index) =>
      `(func $f${index} (export "f${index}") (type $function) (local $sum i32) (call $spend) (local.set $sum (local.get 1))\n${text}\n(local.get $sum))`,
  );
  return `(module
    (type $function (func (param i32 i32) (result i32)))
    ${imports}
    ${exceptions ? '(tag $failure (param i32))' : ''}
    (memory $m0 (export "memory") ${MEMORY_PAGES[0].join(' ')})
    ${memories === 2 ? `(memory $m1 (export "second") ${MEMORY_PAGES[1].join(' ')})` : ''}
    ${definitions}
    (global $fuel (export "fuel") (mut i32) (i32.const 60))
    (global $g32 (export "g32") (mut i32) (i32.const 7))
    (global $g64 (export "g64") (mut i64) (i64.const -7))
    (global $f32 (export "f32") (mut f32) (f32.const 1.5))
    (global $f64 (export "f64") (mut f64) (f64.const -0))
    (global $v128 (mut v128) (v128.const i32x4 1 2 3 4))
    (global $ref (export "ref") (mut funcref) (ref.func $f0))
    (global $fixed (export "fixed") i32 (i32.const 3))
    (table $t (export "table") 4 8 funcref)
    (elem (table $t) (i32.const 0) func $f0 $f1 $f2)
    (elem $elements func $f3 $f2)
    (data (i32.const 1020) "straddles")
    (data $passive "passive")
    (func $spend (global.set $fuel (i32.sub (global.get $fuel) (i32.const 1))) (if (i32.lt_s (global.get $fuel) (i32.const 0)) (then unreachable)))
    (func $deep (i32.store 0 (i32.const 5000) (i32.const -1)) (call $deep) (call $deep))
    (func (export "vector") (result i64 i64) (i64x2.extract_lane 0 (global.get $v128)) (i64x2.extract_lane 1 (global.get $v128)))
    ${functions.join('\n')}
    ${withStart ? '(func $start (i32.store 0 (i32.const 40000) (i32.const 77)) (global.set $g32 (i32.const 9))) (start $start)' : ''})`;
}

const FEATURES = {
  exceptions: true,
  multi_memory: true,
  tail_call: true,
  simd: true,
  bulk_memory: true,
  reference_types: true,
  mutable_globals: true,
  multi_value: true,
};
const toolkit = await wabt();

export function assemble(text: string): Uint8Array<ArrayBuffer> {
  const module = toolkit.parseWat('guest.wat', text, FEATURES as never);
  try {
    module.resolveNames();
    return new Uint8Array(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}
