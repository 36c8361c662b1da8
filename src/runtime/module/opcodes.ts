/**
 * The instruction set as one table: which immediates follow each opcode.
 * Source: WebAssembly Core Specification 3.0, section 5.4 (binary format of instructions), and the legacy exception handling proposal.
 */

/** What follows an opcode. UNKNOWN means: this instruction is not understood and the module is refused. */
export const Shape = {
  UNKNOWN: 0,
  NONE: 1,
  /** One integer: an index, a label or a constant. */
  INTEGER: 2,
  TWO_INTEGERS: 3,
  BLOCK_TYPE: 4,
  /** Alignment, optional memory index, offset. */
  MEMORY_ACCESS: 5,
  /** The same, then a lane. */
  MEMORY_LANE: 6,
  LANE: 7,
  FOUR_BYTES: 8,
  EIGHT_BYTES: 9,
  SIXTEEN_BYTES: 10,
  LABELS: 11,
  VALUE_TYPES: 12,
  TRY_TABLE: 13,
  HEAP_TYPE: 14,
} as const;

/** Prefixed instructions are numbered after the plain ones: prefix 0xfc from 0x100, 0xfd from 0x200. */
export const MISC = 0x100;
export const VECTOR = 0x200;
const END_OF_VECTOR = VECTOR + 0x200;

export const Op = {
  UNREACHABLE: 0x00,
  BLOCK: 0x02,
  LOOP: 0x03,
  IF: 0x04,
  ELSE: 0x05,
  TRY: 0x06,
  THROW: 0x08,
  RETHROW: 0x09,
  THROW_REF: 0x0a,
  END: 0x0b,
  BR: 0x0c,
  BR_IF: 0x0d,
  BR_TABLE: 0x0e,
  RETURN: 0x0f,
  CALL: 0x10,
  CALL_INDIRECT: 0x11,
  RETURN_CALL: 0x12,
  RETURN_CALL_INDIRECT: 0x13,
  DROP: 0x1a,
  TRY_TABLE: 0x1f,
  LOCAL_GET: 0x20,
  LOCAL_SET: 0x21,
  LOCAL_TEE: 0x22,
  GLOBAL_GET: 0x23,
  GLOBAL_SET: 0x24,
  TABLE_GET: 0x25,
  TABLE_SET: 0x26,
  I32_LOAD: 0x28,
  I64_LOAD: 0x29,
  I32_LOAD16_U: 0x2f,
  I32_STORE: 0x36,
  I64_STORE: 0x37,
  F32_STORE: 0x38,
  F64_STORE: 0x39,
  I32_STORE8: 0x3a,
  I32_STORE16: 0x3b,
  I64_STORE8: 0x3c,
  I64_STORE16: 0x3d,
  I64_STORE32: 0x3e,
  MEMORY_SIZE: 0x3f,
  MEMORY_GROW: 0x40,
  I32_CONST: 0x41,
  I64_CONST: 0x42,
  F32_CONST: 0x43,
  F64_CONST: 0x44,
  REF_NULL: 0xd0,
  REF_IS_NULL: 0xd1,
  REF_FUNC: 0xd2,
  MEMORY_INIT: MISC + 8,
  DATA_DROP: MISC + 9,
  MEMORY_COPY: MISC + 10,
  MEMORY_FILL: MISC + 11,
  TABLE_INIT: MISC + 12,
  ELEM_DROP: MISC + 13,
  TABLE_COPY: MISC + 14,
  TABLE_GROW: MISC + 15,
  TABLE_SIZE: MISC + 16,
  TABLE_FILL: MISC + 17,
  V128_LOAD: VECTOR + 0,
  V128_STORE: VECTOR + 11,
  V128_CONST: VECTOR + 12,
  V128_LOAD8_LANE: VECTOR + 84,
  V128_STORE8_LANE: VECTOR + 88,
  V128_STORE64_LANE: VECTOR + 91,
  V128_LOAD64_ZERO: VECTOR + 93,
} as const;

export const shapes = new Uint8Array(END_OF_VECTOR);

function define(first: number, last: number, shape: number): void {
  shapes.fill(shape, first, last + 1);
}

define(0x00, 0x01, Shape.NONE); // unreachable, nop
define(0x02, 0x04, Shape.BLOCK_TYPE); // block, loop, if
define(0x05, 0x05, Shape.NONE); // else
define(0x06, 0x06, Shape.BLOCK_TYPE); // try (legacy)
define(0x07, 0x09, Shape.INTEGER); // catch (legacy), throw, rethrow (legacy)
define(0x0a, 0x0b, Shape.NONE); // throw_ref, end
define(0x0c, 0x0d, Shape.INTEGER); // br, br_if
define(0x0e, 0x0e, Shape.LABELS); // br_table
define(0x0f, 0x0f, Shape.NONE); // return
define(0x10, 0x10, Shape.INTEGER); // call
define(0x11, 0x11, Shape.TWO_INTEGERS); // call_indirect
define(0x12, 0x12, Shape.INTEGER); // return_call
define(0x13, 0x13, Shape.TWO_INTEGERS); // return_call_indirect
define(0x18, 0x18, Shape.INTEGER); // delegate (legacy)
define(0x19, 0x1b, Shape.NONE); // catch_all (legacy), drop, select
define(0x1c, 0x1c, Shape.VALUE_TYPES); // select with types
define(0x1f, 0x1f, Shape.TRY_TABLE);
define(0x20, 0x26, Shape.INTEGER); // local.*, global.*, table.get, table.set
define(0x28, 0x3e, Shape.MEMORY_ACCESS); // loads and stores
define(0x3f, 0x42, Shape.INTEGER); // memory.size, memory.grow, i32.const, i64.const
define(0x43, 0x43, Shape.FOUR_BYTES); // f32.const
define(0x44, 0x44, Shape.EIGHT_BYTES); // f64.const
define(0x45, 0xc4, Shape.NONE); // arithmetic, comparison, conversion
define(0xd0, 0xd0, Shape.HEAP_TYPE); // ref.null
define(0xd1, 0xd1, Shape.NONE); // ref.is_null
define(0xd2, 0xd2, Shape.INTEGER); // ref.func

define(MISC + 0, MISC + 7, Shape.NONE); // saturating truncation
define(MISC + 8, MISC + 8, Shape.TWO_INTEGERS); // memory.init
define(MISC + 9, MISC + 9, Shape.INTEGER); // data.drop
define(MISC + 10, MISC + 10, Shape.TWO_INTEGERS); // memory.copy
define(MISC + 11, MISC + 11, Shape.INTEGER); // memory.fill
define(MISC + 12, MISC + 12, Shape.TWO_INTEGERS); // table.init
define(MISC + 13, MISC + 13, Shape.INTEGER); // elem.drop
define(MISC + 14, MISC + 14, Shape.TWO_INTEGERS); // table.copy
define(MISC + 15, MISC + 17, Shape.INTEGER); // table.grow, table.size, table.fill

define(VECTOR + 0, VECTOR + 11, Shape.MEMORY_ACCESS); // v128 loads, v128.store
define(VECTOR + 12, VECTOR + 13, Shape.SIXTEEN_BYTES); // v128.const, i8x16.shuffle
define(VECTOR + 14, VECTOR + 20, Shape.NONE); // swizzle, splats
define(VECTOR + 21, VECTOR + 34, Shape.LANE); // extract_lane, replace_lane
define(VECTOR + 35, VECTOR + 83, Shape.NONE); // comparison, bitwise
define(VECTOR + 84, VECTOR + 91, Shape.MEMORY_LANE); // load and store of one lane
define(VECTOR + 92, VECTOR + 93, Shape.MEMORY_ACCESS); // load32_zero, load64_zero
define(VECTOR + 94, VECTOR + 275, Shape.NONE); // arithmetic, relaxed SIMD
