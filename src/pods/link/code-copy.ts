import { Assembler } from '../../runtime/module/assembler.ts';
import type { Instructions } from '../../runtime/module/instructions.ts';
import { Reader } from '../../runtime/module/reader.ts';
import { ScratchLocals } from '../../runtime/module/scratch-locals.ts';
import { I32 } from '../../runtime/module/value-types.ts';
import { RecentCode } from '../../runtime/prepare/recent-code.ts';
import { LocalFacts } from './local-facts.ts';
import { type Renumbering, writeRenumbered } from './renumbering.ts';

/**
 * The function being rewritten: what stays is copied, what changes is put in between. With what is known at the place
 * where we are: the instructions just passed, the addresses that locals hold, the blocks that are open.
 */
export class CodeCopy {
  readonly code = new Assembler(65_536);
  readonly scratch = new ScratchLocals();
  readonly recent = new RecentCode();
  readonly known = new LocalFacts();
  /** Blocks that are open, ours around the code not counted. */
  nesting = 0;
  readonly #to: Renumbering;
  /** Global: not zero once the run has to end. */
  readonly #status: number;
  #source: Reader = new Reader(new Uint8Array(0));
  /** The source is written up to here. */
  #copied = 0;

  constructor(to: Renumbering, status: number) {
    this.#to = to;
    this.#status = status;
  }

  /** A function with so many locals begins; its code is what is left of `body` from `codeStart` on. */
  begin(body: Reader, codeStart: number, locals: number): void {
    this.scratch.reset(locals);
    this.code.clear();
    this.recent.forget();
    this.known.reset();
    this.nesting = 0;
    this.#source = body;
    body.at = this.#copied = codeStart;
  }

  get bytes(): Uint8Array {
    return this.#source.bytes;
  }

  copyTo(end: number): void {
    this.code.bytes(this.#source.bytes, this.#copied, end);
    this.#copied = end;
  }

  /** What comes now stands for the instruction. */
  replace(at: Instructions): Assembler {
    this.copyTo(at.start);
    this.#copied = at.end;
    return this.code;
  }

  /** The instruction with the indexes that it has in the pod. */
  renumber(at: Instructions): void {
    this.copyTo(at.start);
    if (writeRenumbered(this.code, at, this.#to)) this.#copied = at.end;
  }

  /** An i32 of ours, the same for the same purpose. */
  local(purpose: string): number {
    return this.scratch.get(purpose, I32);
  }

  /** Out of the block that traps, if the value on the stack says so. */
  trapIf(): void {
    this.code.brIf(this.nesting);
  }

  /** Out of the function, if a call ended the run. */
  unwindIfStopped(): void {
    this.code.globalGet(this.#status).brIf(this.nesting + 1);
  }
}
