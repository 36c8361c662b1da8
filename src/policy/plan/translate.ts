import { builtins } from './builtins/table.ts';
import { readPlan, type Block, type Plan, type PlanFunction } from './plan.ts';
import { PlanRefusal, type ProgramContext } from './program.ts';
import { FunctionWriter, localName } from './statements.ts';

export type Translation = { javascript: string } | { refused: string };

/** The JSON of a plan as OPA's compiler writes it (`plan.json` of a bundle). */
export type PlanJson = unknown;

/**
 * Translates a plan to the source of a JavaScript program (instantiate.ts runs it). Where the plan holds anything
 * whose Rego semantics this translation does not give exactly, it refuses with the reason, and the policy's
 * WebAssembly form has to answer instead.
 */
export function translatePlan(json: PlanJson): Translation {
  const plan = readPlan(json);
  if (typeof plan === 'string') return { refused: plan };
  try {
    return { javascript: new ProgramWriter(plan).write() };
  } catch (error) {
    if (error instanceof PlanRefusal) return { refused: error.message };
    throw error;
  }
}

/** Comparisons have operations of their own, which V8 inlines. */
const comparisons: { readonly [builtin: string]: string } = {
  gt: 'greater',
  gte: 'greaterOrEqual',
  lt: 'less',
  lte: 'lessOrEqual',
  eq: 'equal',
  equal: 'equal',
  neq: 'unequal',
};

class ProgramWriter {
  readonly #plan: Plan;
  readonly #strings: readonly string[];
  readonly #functions: ReadonlyMap<string, { name: string; index: number }>;
  readonly #builtins = new Map<string, string>();
  readonly #memoized: ReadonlySet<PlanFunction>;
  readonly #showsNumbers: boolean;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#strings = plan.static.strings.map((constant) => constant.value);
    this.#functions = new Map(
      plan.funcs.funcs.map(({ name }, index) => [name, { name: `f${index}_${identifier(name)}`, index }]),
    );
    const calls = countCalls(plan);
    this.#memoized = memoized(plan, calls);
    this.#showsNumbers = showing.some((builtin) => calls.count.has(builtin));
  }

  write(): string {
    const functions = this.#plan.funcs.funcs.flatMap((rule, index) => this.#function(rule, index));
    const entrypoints = this.#plan.plans.plans.flatMap((plan, index) => this.#entrypoint(plan, index));
    return [...this.#prologue(), ...functions, ...entrypoints, ...this.#epilogue()].join('\n') + '\n';
  }

  #function(rule: PlanFunction, index: number): string[] {
    const memo = this.#memoized.has(rule) ? `memo${index}` : null;
    const writer = new FunctionWriter(this.#context(memo));
    const body = writer.body(rule.blocks, rule.params);
    const recall = memo === null ? [] : [`  if (${memo} !== unset) return ${memo};`];
    const head = `function ${this.#name(rule.name)}(${rule.params.map(localName).join(', ')}) {`;
    return ['', head, ...recall, ...body, '}'];
  }

  #entrypoint(plan: Plan['plans']['plans'][number], index: number): string[] {
    const body = new FunctionWriter(this.#context(null)).body(plan.blocks, [0, 1]);
    return ['', `function entrypoint${index}(input, data) {`, '  forget();', ...body, '}'];
  }

  #context(memo: string | null): ProgramContext {
    return {
      strings: this.#strings,
      showsNumbers: this.#showsNumbers,
      callee: (name) => this.#callee(name),
      returned: (value) => (memo === null ? `return ${value};` : `return (${memo} = ${value});`),
    };
  }

  #callee(name: string): string {
    const rule = this.#functions.get(name);
    if (rule !== undefined) return rule.name;
    if (Object.hasOwn(comparisons, name)) return comparisons[name];
    if (!builtins.has(name)) throw new PlanRefusal(`the builtin ${name}`);
    let local = this.#builtins.get(name);
    if (local === undefined)
      this.#builtins.set(name, (local = `builtin${this.#builtins.size}_${identifier(name)}`));
    return local;
  }

  #name(rule: string): string {
    return this.#functions.get(rule)?.name as string;
  }

  #prologue(): string[] {
    const memos = this.#memos();
    return [
      "'use strict';",
      'const { lookup, lookupElsewhere, inherited, isObject, RegoObject, RegoSet, BigDecimal, toJsonValue } = operations;',
      'const { equal, unequal, greater, greaterOrEqual, less, lessOrEqual } = operations;',
      'const { assignOnce, insertOnce, merge, upsert, length } = operations;',
      'const { scanKeys, sortedScanKeys, scanValues } = operations;',
      '',
      '// A rule is evaluated at most once per decision, and once more inside of each `with`.',
      "const unset = Symbol('unset');",
      ...memos.map((memo) => `let ${memo} = unset;`),
      `function forget() {${memos.map((memo) => ` ${memo} = unset;`).join('')} }`,
      `function takeMemo() { const taken = [${memos.join(', ')}]; forget(); return taken; }`,
      `function putMemo(taken) { [${memos.join(', ')}] = taken; }`,
    ];
  }

  #memos(): string[] {
    return [...this.#memoized].map((rule) => `memo${this.#functions.get(rule.name)?.index}`);
  }

  #epilogue(): string[] {
    const rules = this.#plan.funcs.funcs.filter((rule) => rule.path.length > 0);
    const used = [...this.#builtins].map(
      ([name, local]) => `const ${local} = builtins.get(${JSON.stringify(name)});`,
    );
    return [
      '',
      ...used,
      '// Rules by path, for references such as data.shop[input.action].',
      'const rules = new Map([',
      ...rules.map((rule) => `  [${JSON.stringify(JSON.stringify(rule.path))}, ${this.#name(rule.name)}],`),
      ']);',
      'function dynamicCallee(path) {',
      "  return path.every((part) => typeof part === 'string') ? rules.get(JSON.stringify(path)) : undefined;",
      '}',
      'return new Map([',
      ...this.#plan.plans.plans.map(({ name }, index) => `  [${JSON.stringify(name)}, entrypoint${index}],`),
      ']);',
    ];
  }
}

/** A readable part of a name, safe inside of an identifier. */
function identifier(name: string): string {
  return (name.split('.').at(-1) ?? '').replace(/[^A-Za-z0-9]/g, '_').slice(0, 40);
}

/** Builtins that show how a number was written. */
const showing = ['sprintf', 'json.marshal', 'internal.template_string', 'to_number'];

interface Calls {
  /** How often each function is called per evaluation of its caller; 2 stands for many. */
  readonly count: ReadonlyMap<string, number>;
  readonly dynamic: boolean;
}

function countCalls(plan: Plan): Calls {
  const calls = new Map<string, number>();
  let dynamic = false;
  const count = (blocks: readonly Block[], times: number): void => {
    for (const { type, stmt } of blocks.flatMap((block) => block.stmts)) {
      if (type === 'CallStmt') calls.set(stmt.func, (calls.get(stmt.func) ?? 0) + times);
      else if (type === 'CallDynamicStmt') dynamic = true;
      else if (type === 'BlockStmt') count(stmt.blocks, times);
      else if (type === 'ScanStmt') count([stmt.block], 2);
      else if (type === 'NotStmt' || type === 'WithStmt') count([stmt.block], times);
    }
  };
  for (const { blocks } of plan.plans.plans) count(blocks, 1);
  for (const { blocks, params } of plan.funcs.funcs) count(blocks, params.length === 2 ? 1 : 2);
  return { count: calls, dynamic };
}

/** The rules whose value is worth keeping: no arguments, and more than one evaluation possible. */
function memoized(plan: Plan, { count, dynamic }: Calls): ReadonlySet<PlanFunction> {
  const often = ({ name }: PlanFunction) => dynamic || (count.get(name) ?? 0) > 1;
  return new Set(plan.funcs.funcs.filter((rule) => rule.params.length === 2 && often(rule)));
}
