/** What is known of addresses at one point of a function: locals by number, pages that were marked by −1 − their number. */
interface Facts {
  readonly inside: ReadonlySet<number>;
  readonly marked: ReadonlySet<number>;
}

interface Block {
  readonly kind: 'block' | 'if' | 'loop';
  /** What was known where it begins. */
  readonly start: Facts;
  /** Locals that were set since then. */
  readonly set: Set<number>;
  /** Something branches to its end. */
  isTarget: boolean;
}

/**
 * Which locals hold an address that was found to be inside the memory, and which have the page they point to marked.
 * Calls change neither: the memory never shrinks and marks stay while a run lasts. Where paths meet, what was known
 * before they parted is known still, as long as the local was not set on one of them.
 */
export class LocalFacts {
  #inside = new Set<number>();
  #marked = new Set<number>();
  readonly #blocks: Block[] = [];

  reset(): void {
    this.#inside.clear();
    this.#marked.clear();
    this.#blocks.length = 0;
  }

  isInside(local: number): boolean {
    return this.#inside.has(local);
  }

  foundInside(local: number): void {
    this.#inside.add(local);
  }

  isMarked(local: number): boolean {
    return this.#marked.has(local);
  }

  wasMarked(local: number): void {
    this.#marked.add(local);
  }

  isPageMarked(page: number): boolean {
    return this.#marked.has(-1 - page);
  }

  pageWasMarked(page: number): void {
    this.#marked.add(-1 - page);
  }

  wasSet(local: number): void {
    this.#inside.delete(local);
    this.#marked.delete(local);
    this.#blocks.at(-1)?.set.add(local);
  }

  enterBlock(kind: 'block' | 'if'): void {
    this.#enter(kind);
  }

  /** `set`: the locals that the loop sets. Where it begins, they have any of the values that they get in it. */
  enterLoop(set: Iterable<number>): void {
    for (const local of set) this.wasSet(local);
    this.#enter('loop');
  }

  /** A branch to the block that is `depth` blocks further out. */
  branchesTo(depth: number): void {
    const block = this.#blocks.at(-1 - depth);
    if (block !== undefined) block.isTarget = true;
  }

  else(): void {
    const block = this.#blocks.at(-1) as Block;
    this.#inside = new Set(block.start.inside);
    this.#marked = new Set(block.start.marked);
  }

  end(): void {
    const block = this.#blocks.pop();
    if (block === undefined) return;
    // The end of a loop, and of a block that nothing branches out of, is reached from above only.
    const isJoint = block.kind === 'if' || (block.kind === 'block' && block.isTarget);
    if (isJoint) {
      this.#inside = new Set(block.start.inside);
      this.#marked = new Set(block.start.marked);
    }
    for (const local of block.set) {
      if (isJoint) this.wasSet(local);
      else this.#blocks.at(-1)?.set.add(local);
    }
  }

  #enter(kind: Block['kind']): void {
    const start = { inside: new Set(this.#inside), marked: new Set(this.#marked) };
    this.#blocks.push({ kind, start, set: new Set(), isTarget: false });
  }
}
