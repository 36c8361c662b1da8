import { readPlan, type Block, type Operand, type Plan } from './plan/plan.ts';

const ANY = '*';

/**
 * Makes inputs that a given policy has something to say about: it reads from the plan which members of the input
 * the policy looks at and what it compares them with, and sets those (mostly) or nonsense (sometimes).
 * The same seed gives the same inputs.
 */
export class InputGenerator {
  readonly #hints: { readonly path: readonly string[]; readonly candidates: readonly unknown[] }[];
  readonly #words: readonly unknown[];
  #state: number;

  /** `plan` as OPA's compiler writes it. */
  constructor(plan: unknown, data: unknown, seed = 1) {
    const read = readPlan(plan);
    if (typeof read === 'string') throw new TypeError(read);
    const hints = new HintReader(read);
    this.#hints = [...hints.found.values()].map(({ path, candidates }) => ({
      path,
      candidates: [...candidates],
    }));
    this.#words = [...read.static.strings.map(({ value }) => value), ...words(data, 200), ...ODDITIES];
    this.#state = seed;
  }

  next(): unknown {
    if (this.#chance(0.05)) return this.#nonsense(2);
    let input: unknown = {};
    for (const { path, candidates } of this.#hints) {
      if (this.#chance(0.9)) input = this.#with(input, path, candidates);
    }
    return input;
  }

  #with(document: unknown, path: readonly string[], candidates: readonly unknown[]): unknown {
    const [name, ...rest] = path;
    if (name === undefined) return this.#value(candidates);
    const isObject = typeof document === 'object' && document !== null && !Array.isArray(document);
    if (name === ANY && !(isObject && Object.keys(document).length > 0)) {
      const items = Array.isArray(document) ? document : Array.from({ length: this.#below(4) });
      return items.map((item) => this.#with(item, rest, candidates));
    }
    const object = isObject ? (document as Record<string, unknown>) : {};
    return { ...object, [name]: this.#with(object[name], rest, candidates) };
  }

  #value(candidates: readonly unknown[]): unknown {
    if (candidates.length > 0 && this.#chance(0.75)) return this.#pick(candidates);
    return this.#chance(0.6) ? this.#pick(this.#words) : this.#nonsense(2);
  }

  #nonsense(depth: number): unknown {
    const kind = this.#below(depth > 0 ? 5 : 3);
    if (kind < 3) return this.#pick(ODDITIES);
    const members = Array.from({ length: this.#below(3) }, () => this.#nonsense(depth - 1));
    if (kind === 3) return members;
    return Object.fromEntries(members.map((member) => [String(this.#pick(this.#words)), member]));
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)] as T;
  }

  #chance(probability: number): boolean {
    return this.#below(1000) < probability * 1000;
  }

  /** mulberry32 */
  #below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }
}

const ODDITIES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  1,
  -1,
  0.5,
  1e21,
  9007199254740991,
  '',
  '0',
  'é',
  '😀',
  'a/b',
  '__proto__',
  'constructor',
  {},
  [],
];

/** Which members of `input` a plan reads, and the constants that each of them meets. */
class HintReader {
  readonly found = new Map<string, { path: readonly string[]; candidates: Set<unknown> }>();
  readonly #strings: readonly string[];

  constructor(plan: Plan) {
    this.#strings = plan.static.strings.map(({ value }) => value);
    for (const { blocks, params } of plan.funcs.funcs) {
      this.#read(blocks, new Map([[params[0] ?? 0, []]]), new Map());
    }
    for (const { blocks } of plan.plans.plans) this.#read(blocks, new Map([[0, []]]), new Map());
  }

  /** `paths`: locals that hold a member of the input; `constants`: locals that hold a number. */
  #read(blocks: readonly Block[], paths: Map<number, string[]>, constants: Map<number, unknown>): void {
    const pathOf = (operand: Operand) => (operand.type === 'local' ? paths.get(operand.value) : undefined);
    const constantOf = (operand: Operand) => {
      if (operand.type === 'string_index') return this.#strings[operand.value];
      return operand.type === 'bool' ? operand.value : constants.get(operand.value);
    };
    const meet = (operands: readonly Operand[]) => {
      for (const path of operands.map(pathOf)) {
        if (path === undefined) continue;
        for (const constant of operands.map(constantOf)) this.#note(path, constant);
      }
    };
    for (const { type, stmt } of blocks.flatMap((block) => block.stmts)) {
      if (type === 'DotStmt') {
        const path = pathOf(stmt.source);
        const key = constantOf(stmt.key);
        if (path === undefined || typeof key !== 'string') continue;
        paths.set(stmt.target, [...path, key]);
        this.#note([...path, key], undefined);
      } else if (type === 'AssignVarStmt' || type === 'AssignVarOnceStmt') {
        const path = pathOf(stmt.source);
        if (path !== undefined) paths.set(stmt.target, path);
        else constants.set(stmt.target, constantOf(stmt.source));
      } else if (type === 'MakeNumberIntStmt') constants.set(stmt.target, stmt.value);
      else if (type === 'MakeNumberRefStmt') constants.set(stmt.target, Number(this.#strings[stmt.Index]));
      else if (type === 'EqualStmt' || type === 'NotEqualStmt') meet([stmt.a, stmt.b]);
      else if (type === 'CallStmt') meet(stmt.args);
      else if (type === 'BlockStmt') this.#read(stmt.blocks, paths, constants);
      else if (type === 'NotStmt' || type === 'WithStmt') this.#read([stmt.block], paths, constants);
      else if (type === 'ScanStmt') {
        const path = paths.get(stmt.source);
        if (path !== undefined) {
          paths.set(stmt.value, [...path, ANY]);
          this.#note([...path, ANY], undefined);
        }
        this.#read([stmt.block], paths, constants);
      }
    }
  }

  #note(path: readonly string[], constant: unknown): void {
    if (path.length === 0) return;
    const key = JSON.stringify(path);
    let hint = this.found.get(key);
    if (hint === undefined) this.found.set(key, (hint = { path, candidates: new Set() }));
    if (constant === undefined) return;
    hint.candidates.add(constant);
    if (typeof constant === 'number') hint.candidates.add(constant + 1).add(constant - 1);
    if (typeof constant === 'string') hint.candidates.add(`${constant}x`).add(constant.slice(0, -1));
  }
}

/** The strings of a document, names of members included. */
function words(document: unknown, limit: number): string[] {
  const found: string[] = [];
  const visit = (value: unknown) => {
    if (found.length >= limit) return;
    if (typeof value === 'string') found.push(value);
    if (typeof value !== 'object' || value === null) return;
    for (const [name, member] of Object.entries(value)) {
      if (!Array.isArray(value)) found.push(name);
      visit(member);
    }
  };
  visit(document);
  return found;
}
