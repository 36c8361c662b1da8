import { MISC, Op, VECTOR } from './opcodes.ts';
import { Writer } from './writer.ts';

const EMPTY_BLOCK = 0x40;
const WITH_MEMORY_INDEX = 0x40;

/** Writes the instructions that the rewriter adds, one readable call each. */
export class Assembler extends Writer {
  i32Const(value: number): this {
    this.u8(Op.I32_CONST);
    this.s32(value);
    return this;
  }

  i64Const(value: bigint): this {
    this.u8(Op.I64_CONST);
    this.s64(value);
    return this;
  }

  f64Const(value: number): this {
    this.u8(Op.F64_CONST);
    this.bytes(new Uint8Array(Float64Array.of(value).buffer));
    return this;
  }

  localGet(local: number): this {
    return this.#indexed(Op.LOCAL_GET, local);
  }

  localSet(local: number): this {
    return this.#indexed(Op.LOCAL_SET, local);
  }

  localTee(local: number): this {
    return this.#indexed(Op.LOCAL_TEE, local);
  }

  globalGet(global: number): this {
    return this.#indexed(Op.GLOBAL_GET, global);
  }

  globalSet(global: number): this {
    return this.#indexed(Op.GLOBAL_SET, global);
  }

  call(func: number): this {
    return this.#indexed(Op.CALL, func);
  }

  block(): this {
    return this.op(Op.BLOCK, EMPTY_BLOCK);
  }

  loop(): this {
    return this.op(Op.LOOP, EMPTY_BLOCK);
  }

  if(): this {
    return this.op(Op.IF, EMPTY_BLOCK);
  }

  else(): this {
    return this.op(Op.ELSE);
  }

  end(): this {
    return this.op(Op.END);
  }

  br(depth: number): this {
    return this.#indexed(Op.BR, depth);
  }

  brIf(depth: number): this {
    return this.#indexed(Op.BR_IF, depth);
  }

  /** A load or store, plain or of the vector set. Memory 0 needs no index: engines without multiple memories read it too. */
  access(opcode: number, memory: number, offset = 0, alignment = 0): this {
    if (opcode >= VECTOR) {
      this.u8(0xfd);
      this.u32(opcode - VECTOR);
    } else this.u8(opcode);
    this.u32(memory === 0 ? alignment : WITH_MEMORY_INDEX | alignment);
    if (memory !== 0) this.u32(memory);
    this.u32(offset);
    return this;
  }

  /** The atomic load cannot be hoisted out of a loop: another thread writes the word. */
  i32AtomicLoad(memory: number): this {
    this.op(0xfe, 0x10);
    this.u32(WITH_MEMORY_INDEX | 2);
    this.u32(memory);
    this.u32(0);
    return this;
  }

  memorySize(memory: number): this {
    return this.#indexed(Op.MEMORY_SIZE, memory);
  }

  memoryCopy(target: number, source: number): this {
    this.op(0xfc, Op.MEMORY_COPY - MISC);
    this.u32(target);
    this.u32(source);
    return this;
  }

  memoryFill(memory: number): this {
    this.op(0xfc, Op.MEMORY_FILL - MISC);
    this.u32(memory);
    return this;
  }

  /** Plain bytes: instructions without immediates. */
  op(...bytes: number[]): this {
    for (const byte of bytes) this.u8(byte);
    return this;
  }

  #indexed(opcode: number, index: number): this {
    this.u8(opcode);
    this.u32(index);
    return this;
  }
}

/** Numeric instructions by name, for `op`. */
export const Num = {
  I32_EQZ: 0x45,
  I32_EQ: 0x46,
  I32_NE: 0x47,
  I32_LT_S: 0x48,
  I32_LT_U: 0x49,
  I32_GT_S: 0x4a,
  I32_GT_U: 0x4b,
  I32_GE_S: 0x4e,
  I32_GE_U: 0x4f,
  I64_EQZ: 0x50,
  I64_EQ: 0x51,
  I64_GT_U: 0x56,
  I64_GE_S: 0x59,
  F64_LT: 0x63,
  F64_GT: 0x64,
  F64_GE: 0x66,
  I32_ADD: 0x6a,
  I32_SUB: 0x6b,
  I32_AND: 0x71,
  I32_OR: 0x72,
  I32_SHL: 0x74,
  I32_SHR_U: 0x76,
  I64_CTZ: 0x7a,
  I64_ADD: 0x7c,
  I64_SUB: 0x7d,
  I64_AND: 0x83,
  I64_SHL: 0x86,
  I64_SHR_U: 0x88,
  I32_WRAP_I64: 0xa7,
  I64_EXTEND_I32_U: 0xad,
  F64_PROMOTE_F32: 0xbb,
} as const;
