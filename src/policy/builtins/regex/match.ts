import { parsePattern, UnsupportedPattern, type Assertion, type Tree } from './syntax.ts';

/**
 * Regular expressions in time linear in the text, whatever the pattern: Thompson's simulation with the priorities
 * of Perl, as in Russ Cox, "Regular Expression Matching: the Virtual Machine Approach" (https://swtch.com/~rsc/regexp/regexp2.html).
 * JavaScript's own RegExp backtracks, and a hostile text could hold a thread for minutes.
 */
type Instruction =
  | { readonly type: 'one'; readonly accepts: (codePoint: number) => boolean }
  | { readonly type: 'assert'; readonly holds: Assertion }
  | { readonly type: 'match' }
  /** Goes on at both, preferring the first. */
  | { readonly type: 'fork'; first: number; second: number };

/** Bounds time and memory of `(a{1000}){1000}`. */
const MAX_PROGRAM = 20_000;

export class LinearRegex {
  readonly #program: Instruction[] = [];

  /** Throws PatternError and UnsupportedPattern. */
  constructor(pattern: string) {
    this.#compile(parsePattern(pattern));
    this.#emit({ type: 'match' });
  }

  /** Pieces of the text between matches, as Go's Regexp.Split(text, -1) gives them. */
  split(text: string): string[] {
    const chars = Array.from(text);
    const points = chars.map((char) => char.codePointAt(0) as number);
    if (points.length === 0) return [''];
    const piece = (from: number, to: number) => chars.slice(from, to).join('');
    const pieces: string[] = [];
    let from = 0;
    let last = 0;
    for (const [start, end] of this.#matches(points)) {
      last = start;
      if (end !== 0) pieces.push(piece(from, start));
      from = end;
    }
    if (last !== points.length) pieces.push(piece(from, points.length));
    return pieces;
  }

  *#matches(points: readonly number[]): Generator<readonly [start: number, end: number]> {
    let previousEnd = -1;
    for (let at = 0; at <= points.length;) {
      const found = this.#find(points, at);
      if (found === null) return;
      const [start, end] = found;
      // An empty match right behind the last one does not count.
      const counts = end !== at || start !== previousEnd;
      at = end === at ? end + 1 : end;
      previousEnd = end;
      if (counts) yield found;
    }
  }

  /** The leftmost match from `at` on; among those, the one that the pattern prefers. */
  #find(points: readonly number[], at: number): readonly [number, number] | null {
    let current = new Threads(this.#program.length);
    let next = new Threads(this.#program.length);
    let found: readonly [number, number] | null = null;
    for (let position = at; position <= points.length; position++) {
      const point = points[position] ?? -1;
      if (found === null) this.#follow(current, 0, position, points[position - 1] ?? -1, point);
      if (current.count === 0 && found !== null) break;
      for (let i = 0; i < current.count; i++) {
        const pc = current.pcs[i] as number;
        const start = current.starts[i] as number;
        const instruction = this.#program[pc] as Instruction;
        if (instruction.type === 'match') {
          found = [start, position];
          break; // threads of lower priority are beaten
        }
        if (instruction.type === 'one' && point !== -1 && instruction.accepts(point)) {
          this.#follow(next, pc + 1, start, point, points[position + 1] ?? -1);
        }
      }
      [current, next] = [next, current];
      next.clear();
    }
    return found;
  }

  /** Adds a thread and all that it forks to without reading, in order of preference. */
  #follow(threads: Threads, pc: number, start: number, before: number, after: number): void {
    const pending = [pc];
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      if (threads.has(at)) continue;
      const instruction = this.#program[at] as Instruction;
      const waits = instruction.type === 'one' || instruction.type === 'match';
      threads.add(at, start, waits);
      if (instruction.type === 'fork') pending.push(instruction.second, instruction.first);
      else if (instruction.type === 'assert' && instruction.holds(before, after)) pending.push(at + 1);
    }
  }

  #compile(tree: Tree): void {
    switch (tree.type) {
      case 'empty':
        return;
      case 'one':
      case 'assert':
        this.#emit(tree);
        return;
      case 'sequence':
        for (const part of tree.parts) this.#compile(part);
        return;
      case 'choice':
        return this.#choice(tree.parts);
      case 'repeat':
        return this.#repeat(tree);
    }
  }

  #choice(parts: readonly Tree[]): void {
    const exits: number[] = [];
    for (const [i, part] of parts.entries()) {
      const fork = i < parts.length - 1 ? this.#fork() : null;
      this.#compile(part);
      if (fork === null) continue;
      exits.push(this.#fork());
      this.#aim(fork, fork + 1, this.#program.length);
    }
    for (const exit of exits) this.#aim(exit, this.#program.length, this.#program.length);
  }

  #repeat({ what, least, most, greedy }: Tree & { type: 'repeat' }): void {
    for (let i = 0; i < least; i++) this.#compile(what);
    const optional: number[] = [];
    const once = most === Infinity ? 1 : most - least;
    for (let i = 0; i < once; i++) {
      const fork = this.#fork();
      optional.push(fork);
      this.#compile(what);
      if (most === Infinity) this.#aim(this.#fork(), fork, fork);
    }
    const end = this.#program.length;
    for (const fork of optional) this.#aim(fork, greedy ? fork + 1 : end, greedy ? end : fork + 1);
  }

  #fork(): number {
    return this.#emit({ type: 'fork', first: 0, second: 0 });
  }

  #aim(fork: number, first: number, second: number): void {
    Object.assign(this.#program[fork] as Instruction, { first, second });
  }

  #emit(instruction: Instruction): number {
    if (this.#program.length >= MAX_PROGRAM) throw new UnsupportedPattern('too large');
    return this.#program.push(instruction) - 1;
  }
}

/** Threads of one position by preference, each place in the program at most once. */
class Threads {
  readonly pcs: Int32Array;
  readonly starts: Int32Array;
  count = 0;
  readonly #seen: Int32Array;
  #generation = 1;

  constructor(size: number) {
    this.pcs = new Int32Array(size);
    this.starts = new Int32Array(size);
    this.#seen = new Int32Array(size);
  }

  has(pc: number): boolean {
    return this.#seen[pc] === this.#generation;
  }

  /** `waits`: it reads or matches; others are only remembered. */
  add(pc: number, start: number, waits: boolean): void {
    this.#seen[pc] = this.#generation;
    if (!waits) return;
    this.pcs[this.count] = pc;
    this.starts[this.count++] = start;
  }

  clear(): void {
    this.count = 0;
    this.#generation++;
  }
}
