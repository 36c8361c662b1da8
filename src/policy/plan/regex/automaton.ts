import { lastCodePoint, type Pattern, type Range } from './syntax.ts';

/**
 * Does a pattern occur in a text? Decided in one pass by a deterministic automaton that is built as texts need it: time
 * is linear in the text whatever the pattern (JavaScript's own RegExp can take exponential time, which a client could
 * provoke). After Thompson (1968) and Russ Cox, https://swtch.com/~rsc/regexp/regexp1.html.
 */
interface Node {
  /** Goes on to `next` for a letter in these ranges; without ranges, for free. */
  readonly ranges: readonly Range[] | null;
  /** Free only at this edge of the text. */
  readonly edge: 'start' | 'end' | null;
  readonly next: number[];
}

interface State {
  readonly nodes: readonly number[];
  /** By class of letters; undefined where no text led there yet. */
  readonly next: (State | undefined)[];
  readonly matches: boolean;
  readonly matchesAtEnd: boolean;
}

/** Larger patterns are left to others. */
const maxNodes = 4000;
/** States are forgotten beyond this, and built again. */
const maxStates = 500;
const accept = 0;

export class Automaton {
  readonly #nodes: Node[] = [{ ranges: null, edge: null, next: [] }];
  readonly #states = new Map<string, State>();
  /** Letters between two neighbouring borders are all treated alike. */
  readonly #borders: readonly number[];
  readonly #asciiClasses: Uint16Array;
  readonly #entry: number;
  readonly #start: State;

  private constructor(pattern: Pattern) {
    this.#entry = this.#build(pattern, accept);
    const borders = new Set([0]);
    for (const [from, to] of this.#nodes.flatMap((node) => node.ranges ?? [])) borders.add(from).add(to + 1);
    this.#borders = [...borders].filter((border) => border <= lastCodePoint).toSorted((a, b) => a - b);
    this.#asciiClasses = Uint16Array.from({ length: 128 }, (_, code) => this.#classOf(code));
    this.#start = this.#state(this.#closure([this.#entry], true, false), true);
  }

  /** Null where the pattern is too large. */
  static of(pattern: Pattern): Automaton | null {
    try {
      return new Automaton(pattern);
    } catch (error) {
      if (error instanceof TooLarge) return null;
      throw error;
    }
  }

  test(text: string): boolean {
    let state = this.#start;
    for (let i = 0; i < text.length; i++) {
      if (state.matches) return true;
      const unit = text.charCodeAt(i);
      let letters: number;
      if (unit < 128) {
        letters = this.#asciiClasses[unit] as number;
      } else {
        const code = text.codePointAt(i) as number;
        if (code > 0xffff) i++;
        letters = this.#classOf(code);
      }
      state = state.next[letters] ?? this.#step(state, letters);
    }
    return state.matches || state.matchesAtEnd;
  }

  #step(state: State, letters: number): State {
    const code = this.#borders[letters] as number;
    const reached = state.nodes.flatMap((id) => {
      const { ranges, next } = this.#nodes[id] as Node;
      return ranges?.some(([from, to]) => from <= code && code <= to) === true ? next : [];
    });
    // A match may begin anywhere, but only the first place is the start of the text.
    const next = this.#state(this.#closure([...reached, this.#entry], false, false), false);
    state.next[letters] = next;
    return next;
  }

  #state(nodes: readonly number[], atStart: boolean): State {
    const key = `${atStart}:${nodes.join()}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    if (this.#states.size >= maxStates) {
      for (const state of this.#states.values()) state.next.length = 0;
      this.#states.clear();
    }
    const atEnd = this.#closure(nodes, atStart, true);
    const state: State = {
      nodes,
      next: [],
      matches: nodes.includes(accept),
      matchesAtEnd: atEnd.includes(accept),
    };
    this.#states.set(key, state);
    return state;
  }

  /** The nodes that can be reached for free, sorted. */
  #closure(from: readonly number[], atStart: boolean, atEnd: boolean): number[] {
    const seen = new Set<number>();
    const open = [...from];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (seen.has(id)) continue;
      seen.add(id);
      const { ranges, edge, next } = this.#nodes[id] as Node;
      const free = ranges === null && (edge === null || (edge === 'start' ? atStart : atEnd));
      if (free) open.push(...next);
    }
    return [...seen].toSorted((a, b) => a - b);
  }

  #classOf(code: number): number {
    let low = 0;
    let high = this.#borders.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#borders[middle] as number) <= code) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Adds the nodes of a pattern in front of `next` and returns the first. */
  #build(pattern: Pattern, next: number): number {
    switch (pattern.kind) {
      case 'letters':
        return this.#node({ ranges: pattern.ranges, edge: null, next: [next] });
      case 'start':
      case 'end':
        return this.#node({ ranges: null, edge: pattern.kind, next: [next] });
      case 'sequence':
        return pattern.parts.reduceRight((after, part) => this.#build(part, after), next);
      case 'choice':
        return this.#free(pattern.parts.map((part) => this.#build(part, next)));
      case 'repeat':
        return this.#repeat(pattern, next);
    }
  }

  #repeat({ part, min, max }: Extract<Pattern, { kind: 'repeat' }>, next: number): number {
    let first = next;
    if (max === Infinity) {
      first = this.#free([next]);
      (this.#nodes[first] as Node).next.push(this.#build(part, first));
    } else {
      for (let i = min; i < max; i++) first = this.#free([next, this.#build(part, first)]);
    }
    for (let i = 0; i < min; i++) first = this.#build(part, first);
    return first;
  }

  #free(next: number[]): number {
    return this.#node({ ranges: null, edge: null, next });
  }

  #node(node: Node): number {
    if (this.#nodes.length >= maxNodes) throw new TooLarge();
    return this.#nodes.push(node) - 1;
  }
}

class TooLarge extends Error {}
