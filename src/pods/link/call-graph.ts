import type { ModuleParts } from '../../runtime/module/module-parts.ts';
import type { FunctionFacts, GuestFacts } from './facts.ts';

/** Functions whose calls may run more code than this, in bytes, without a loop or a counted function, are counted themselves. */
const WORK_BYTES = 16_384;
/** Native stack that functions may take together between two counted ones. */
const UNCOUNTED_STACK = 128 * 1024;

/** What the calls among the guest's functions say of each of them (by its number among the defined ones). */
export interface CallGraph {
  /** It spends fuel and stack at its entry: a function that calls itself goes through such a one, or it calls a lot. */
  isCounted(func: number): boolean;
  /** Bytes of native stack that a counted function takes, with the uncounted ones that it calls. */
  stackOf(func: number): number;
  /** Whether there can be less stack left when a call of it returns. */
  spendsStack(func: number): boolean;
}

/**
 * Finds out which functions need to count, so that every cycle of calls has one that does and what lies between two of
 * them is little. An indirect call can reach every referenced function of its type.
 */
export function readCallGraph(parts: ModuleParts, facts: GuestFacts): CallGraph {
  return new Graph(parts, facts);
}

/** Nodes are the defined functions, then one node for each type of indirect calls. */
class Graph implements CallGraph {
  readonly #functions: readonly FunctionFacts[];
  readonly #edges: readonly (readonly number[])[];
  readonly #counted: Uint8Array;
  readonly #spends: Uint8Array;
  readonly #stack: Float64Array;
  readonly #work: Float64Array;

  constructor(parts: ModuleParts, facts: GuestFacts) {
    this.#functions = facts.functions;
    this.#edges = readEdges(parts, facts);
    const nodes = this.#edges.length;
    this.#counted = new Uint8Array(nodes);
    this.#spends = new Uint8Array(nodes);
    this.#stack = new Float64Array(nodes);
    this.#work = new Float64Array(nodes);
    // A function that never returns runs once: to count it costs nothing, and it is where errors lead back to what everybody calls.
    facts.functions.forEach(({ returns, canStop }, func) => {
      if (!returns && canStop) this.#counted[func] = 1;
    });
    visit(this.#edges, this.#counted, { back: (from, to) => this.#cut(from, to), left: () => undefined });
    visit(this.#edges, this.#counted, { back: () => undefined, left: (node) => this.#weigh(node) });
  }

  isCounted(func: number): boolean {
    return this.#counted[func] === 1;
  }

  stackOf(func: number): number {
    return this.#stack[func] as number;
  }

  spendsStack(func: number): boolean {
    return this.#spends[func] === 1;
  }

  /** Every cycle has an edge that leads back to where the search came from. A type cannot count: its caller does. */
  #cut(from: number, to: number): void {
    this.#counted[to < this.#functions.length ? to : from] = 1;
  }

  /** All that the node calls, other than counted functions, is weighed. */
  #weigh(node: number): void {
    const facts = this.#functions[node];
    let [stack, work, spends] = [0, 0, this.#counted[node] as number];
    for (const target of this.#edges[node] as readonly number[]) {
      if (this.#functions[target]?.returns !== false) {
        spends |= (this.#spends[target] as number) | (this.#counted[target] as number);
      }
      if (this.#counted[target] === 1) continue;
      stack = Math.max(stack, this.#stack[target] as number);
      if (facts === undefined) work = Math.max(work, this.#work[target] as number);
      else work += this.#work[target] as number;
    }
    if (facts !== undefined) {
      stack += frameBytes(facts);
      work += facts.end - facts.start;
      if (facts.canStop && (stack > UNCOUNTED_STACK || work > WORK_BYTES)) this.#counted[node] = spends = 1;
    }
    this.#stack[node] = stack;
    this.#work[node] = work;
    this.#spends[node] = spends;
  }
}

interface Visitor {
  /** An edge to a node that the search has entered, but not left. */
  readonly back: (from: number, to: number) => void;
  /** A node is left: all it leads to was left before, but for edges back and those into `cut` nodes. */
  readonly left: (node: number) => void;
}

/** A depth-first search from every node, without recursion: guests can be deep. Edges into nodes that are `cut` by then are not followed. */
function visit(edges: readonly (readonly number[])[], cut: Uint8Array, visitor: Visitor): void {
  const [NEW, ENTERED, LEFT] = [0, 1, 2];
  const state = new Uint8Array(edges.length);
  for (let root = 0; root < edges.length; root++) {
    if (state[root] !== NEW) continue;
    const path = [{ node: root, next: 0 }];
    state[root] = ENTERED;
    for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
      const target = (edges[step.node] as readonly number[])[step.next++];
      if (target === undefined) {
        state[step.node] = LEFT;
        visitor.left(step.node);
        path.pop();
      } else if (cut[target] === 1) continue;
      else if (state[target] === ENTERED) visitor.back(step.node, target);
      else if (state[target] === NEW) {
        state[target] = ENTERED;
        path.push({ node: target, next: 0 });
      }
    }
  }
}

function readEdges(parts: ModuleParts, { functions, referenced, typeIds }: GuestFacts): number[][] {
  const { importedFunctions } = parts;
  const typeNode = (id: number) => functions.length + id - 1;
  const edges = functions.map(({ calls, indirectCalls }) => [
    ...calls.filter((func) => func >= importedFunctions).map((func) => func - importedFunctions),
    ...indirectCalls.map(typeNode),
  ]);
  const reached = Array.from({ length: Math.max(0, ...typeIds) }, (): number[] => []);
  for (const func of referenced) {
    if (func < importedFunctions) continue;
    const id = typeIds[parts.functions[func] as number] as number;
    (reached[id - 1] as number[]).push(func - importedFunctions);
  }
  return [...edges, ...reached];
}

/** A generous guess at the native frame of a compiled function: its locals, and what it may hold between instructions. */
function frameBytes({ start, end, type, locals }: FunctionFacts): number {
  return 128 + 16 * (type.parameters.length + locals) + (end - start);
}
