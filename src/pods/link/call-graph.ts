import type { ModuleParts } from '../../runtime/module/module-parts.ts';
import type { FunctionFacts, GuestFacts } from './facts.ts';
import { components } from './recursion.ts';

/** Functions whose calls may run more code than this, in bytes, without a loop or a counted function, are counted themselves. */
const WORK_BYTES = 16_384;
/** Native stack that functions may take together between two counted ones. */
const UNCOUNTED_STACK = 128 * 1024;

/** What the calls among the guest's functions say of each of them (by its number among the defined ones). */
export interface CallGraph {
  /** It spends fuel and stack at its entry: it may call itself, or a lot of others. */
  isCounted(func: number): boolean;
  /** Bytes of native stack that a counted function takes, with the uncounted ones that it calls. */
  stackOf(func: number): number;
  /** Whether a call of it can change the stack that is left. */
  spendsStack(func: number): boolean;
}

/**
 * Finds out which functions need to count: without recursion, and with little code, a call ends by itself and takes a
 * known amount of stack. An indirect call can reach every referenced function of its type.
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
    for (const members of components(nodes, (node) => this.#edges[node] as readonly number[])) {
      this.#settle(members);
    }
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

  /** All that the members call, other than each other, is settled. Type nodes first: they only pass on. */
  #settle(members: readonly number[]): void {
    const together = new Set(members);
    const isRecursive = members.some((node) =>
      (this.#edges[node] as readonly number[]).some((target) => together.has(target)),
    );
    const functions = members.filter((node) => node < this.#functions.length);
    if (isRecursive) for (const node of members) this.#spends[node] = 1;
    if (isRecursive) for (const node of functions) this.#counted[node] = 1;
    for (const node of members.toSorted((left, right) => right - left)) this.#weigh(node);
  }

  #weigh(node: number): void {
    const facts = this.#functions[node];
    let [stack, work, spends] = [0, 0, this.#spends[node] as number];
    for (const target of this.#edges[node] as readonly number[]) {
      spends |= this.#spends[target] as number;
      if (this.#counted[target] === 1) continue;
      stack = Math.max(stack, this.#stack[target] as number);
      if (facts === undefined) work = Math.max(work, this.#work[target] as number);
      else work += this.#work[target] as number;
    }
    if (facts !== undefined) {
      stack += frameBytes(facts);
      work += facts.end - facts.start;
      if (stack > UNCOUNTED_STACK || work > WORK_BYTES) this.#counted[node] = spends = 1;
    }
    this.#stack[node] = stack;
    this.#work[node] = work;
    this.#spends[node] = spends;
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
    (reached[(typeIds[parts.functions[func] as number] as number) - 1] as number[]).push(
      func - importedFunctions,
    );
  }
  return [...edges, ...reached];
}

/** A generous guess at the native frame of a compiled function: its locals, and what it may hold between instructions. */
function frameBytes({ start, end, type, locals }: FunctionFacts): number {
  return 128 + 16 * (type.parameters.length + locals) + (end - start);
}
