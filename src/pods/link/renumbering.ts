import type { Assembler } from '../../runtime/module/assembler.ts';
import type { Instructions } from '../../runtime/module/instructions.ts';
import { MISC, Op } from '../../runtime/module/opcodes.ts';

/** Where the entries of one module's index spaces are in the pod. */
export interface Renumbering {
  readonly type: (index: number) => number;
  readonly func: (index: number) => number;
  readonly global: (index: number) => number;
  readonly table: (index: number) => number;
  readonly element: (index: number) => number;
  readonly data: (index: number) => number;
}

/** Writes the instruction that was just read with the pod's indexes. False: it has none, and can be copied as it is. */
export function writeRenumbered(code: Assembler, at: Instructions, to: Renumbering): boolean {
  const { opcode, first, second } = at;
  switch (opcode) {
    case Op.BLOCK:
    case Op.LOOP:
    case Op.IF:
      if (first < 0) return false;
      code.u8(opcode);
      code.s32(to.type(first));
      return true;
    case Op.CALL:
    case Op.RETURN_CALL:
    case Op.REF_FUNC:
      return indexed(code, to.func(first), opcode);
    case Op.CALL_INDIRECT:
    case Op.RETURN_CALL_INDIRECT:
      indexed(code, to.type(first), opcode);
      code.u32(to.table(second));
      return true;
    case Op.GLOBAL_GET:
    case Op.GLOBAL_SET:
      return indexed(code, to.global(first), opcode);
    case Op.TABLE_GET:
    case Op.TABLE_SET:
      return indexed(code, to.table(first), opcode);
    case Op.MEMORY_INIT:
      indexed(code, to.data(first), 0xfc, opcode - MISC);
      code.u32(second);
      return true;
    case Op.DATA_DROP:
      return indexed(code, to.data(first), 0xfc, opcode - MISC);
    case Op.TABLE_INIT:
      indexed(code, to.element(first), 0xfc, opcode - MISC);
      code.u32(to.table(second));
      return true;
    case Op.ELEM_DROP:
      return indexed(code, to.element(first), 0xfc, opcode - MISC);
    case Op.TABLE_COPY:
      indexed(code, to.table(first), 0xfc, opcode - MISC);
      code.u32(to.table(second));
      return true;
    case Op.TABLE_GROW:
    case Op.TABLE_SIZE:
    case Op.TABLE_FILL:
      return indexed(code, to.table(first), 0xfc, opcode - MISC);
    default:
      return false;
  }
}

function indexed(code: Assembler, index: number, ...opcode: number[]): true {
  code.op(...opcode).u32(index);
  return true;
}
