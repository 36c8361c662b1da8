import type { ValueType } from './value-types.ts';

/** Locals that instrumented code needs beside the function's own; each is declared only if it was asked for. */
export class ScratchLocals {
  readonly added: ValueType[] = [];
  readonly #byPurpose = new Map<string, number>();
  #first = 0;

  /** For the next function, which has `count` parameters and locals of its own. */
  reset(count: number): void {
    this.added.length = 0;
    this.#byPurpose.clear();
    this.#first = count;
  }

  /** The index of the local for this purpose and type. */
  get(purpose: string, type: ValueType): number {
    let index = this.#byPurpose.get(purpose);
    if (index === undefined) {
      index = this.#first + this.added.push(type) - 1;
      this.#byPurpose.set(purpose, index);
    }
    return index;
  }
}
