import type { Instructions } from '../../runtime/module/instructions.ts';
import { Op } from '../../runtime/module/opcodes.ts';

/** What the blocks of a function are like. To be told of every instruction. */
export class CodeShape {
  /** For each loop, in the order of their beginnings: the locals that are set in it. */
  readonly loops: Set<number>[] = [];
  /** Whether the function can end other than by a trap, as far as is easily seen. */
  returns = false;
  /** Of every open block the locals of the loop that it is, or null. */
  readonly #open: (Set<number> | null)[] = [];
  #last = 0;

  passed({ opcode, first }: Instructions): void {
    switch (opcode) {
      case Op.BLOCK:
      case Op.IF:
        this.#open.push(null);
        break;
      case Op.LOOP:
        this.loops.push(new Set());
        this.#open.push(this.loops.at(-1) as Set<number>);
        break;
      case Op.END:
        if (this.#open.length === 0) this.returns ||= this.#last !== Op.UNREACHABLE;
        else this.#open.pop();
        break;
      case Op.BR:
      case Op.BR_IF:
        this.returns ||= first === this.#open.length;
        break;
      case Op.BR_TABLE:
      case Op.RETURN:
      case Op.RETURN_CALL:
      case Op.RETURN_CALL_INDIRECT:
        this.returns = true;
        break;
      case Op.LOCAL_SET:
      case Op.LOCAL_TEE:
        for (const loop of this.#open) loop?.add(first);
    }
    this.#last = opcode;
  }
}
