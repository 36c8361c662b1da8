import type { Block, Fields, Operand, Statement } from './plan.ts';
import { PlanRefusal, type ProgramContext } from './program.ts';
import { parseNumber } from './numbers.ts';
import { requireExact } from './builtins/patterns.ts';
import { buildsArray, resultOf } from './shapes.ts';
import { isReserved } from './values.ts';

/**
 * One function of a plan as JavaScript. Undefined, in a plan, ends the block that it occurs in; so every block becomes
 * a labelled block, every scan a labelled loop, and undefined a jump out of (or, in a scan, on to the next element).
 */
export class FunctionWriter {
  readonly #program: ProgramContext;
  readonly #lines: string[] = [];
  readonly #locals = new Set<number>();
  /** Where BreakStmt 0, 1, … lead, innermost first. `null` marks the edge of a `with`, which no jump may cross. */
  #targets: (Target | null)[] = [];
  #names = 0;
  #indent = 1;

  constructor(program: ProgramContext) {
    this.#program = program;
  }

  /** The lines of a function body, declarations of its locals first. */
  body(blocks: readonly Block[], parameters: readonly number[]): string[] {
    for (const block of blocks) this.#block(block);
    const declared = [...this.#locals].filter((local) => !parameters.includes(local)).map(localName);
    return declared.length === 0 ? this.#lines : [`  let ${declared.join(', ')};`, ...this.#lines];
  }

  #block(block: Block): void {
    const label: Target = { jump: 'break', name: `b${this.#names++}`, used: false };
    const start = this.#lines.length;
    this.#emit('{');
    this.#inside([label], () => this.#statements(block.stmts));
    this.#emit('}');
    if (label.used) this.#lines[start] = this.#lines[start].replace('{', `${label.name}: {`);
  }

  #statements(statements: readonly Statement[]): void {
    for (let i = 0; i < statements.length; i++) {
      const result = resultOf(statements, i, this.#program.strings);
      if (result === null) {
        this.#statement(statements[i]);
      } else {
        this.#emit(`return toJsonValue(${this.#value(result)});`);
        i += 2;
      }
    }
  }

  #inside(targets: (Target | null)[], write: () => void): void {
    const outer = this.#targets;
    this.#targets = [...targets, ...outer];
    this.#indent++;
    write();
    this.#indent--;
    this.#targets = outer;
  }

  #statement(statement: Statement): void {
    switch (statement.type) {
      case 'AssignIntStmt':
      case 'MakeNumberIntStmt':
        return this.#assign(statement.stmt.target, String(statement.stmt.value));
      case 'MakeNumberRefStmt':
        return this.#assign(statement.stmt.target, this.#number(this.#string(statement.stmt.Index)));
      case 'AssignVarStmt':
        return this.#assign(statement.stmt.target, this.#value(statement.stmt.source));
      case 'AssignVarOnceStmt': {
        const { source, target } = statement.stmt;
        return this.#assign(target, `assignOnce(${this.#local(target)}, ${this.#value(source)})`);
      }
      case 'ResetLocalStmt':
        return this.#assign(statement.stmt.target, 'undefined');
      case 'MakeNullStmt':
        return this.#assign(statement.stmt.target, 'null');
      case 'MakeArrayStmt':
        return this.#assign(statement.stmt.target, '[]');
      case 'MakeObjectStmt':
        return this.#assign(statement.stmt.target, 'new RegoObject()');
      case 'MakeSetStmt':
        return this.#assign(statement.stmt.target, 'new RegoSet()');
      case 'ArrayAppendStmt':
        return this.#emit(`${this.#local(statement.stmt.array)}.push(${this.#value(statement.stmt.value)});`);
      case 'SetAddStmt':
        return this.#emit(`${this.#local(statement.stmt.set)}.add(${this.#value(statement.stmt.value)});`);
      case 'ObjectInsertStmt': {
        const { object, key, value } = statement.stmt;
        return this.#emit(`${this.#local(object)}.set(${this.#value(key)}, ${this.#value(value)});`);
      }
      case 'ObjectInsertOnceStmt': {
        const { object, key, value } = statement.stmt;
        return this.#emit(`insertOnce(${this.#local(object)}, ${this.#value(key)}, ${this.#value(value)});`);
      }
      case 'ObjectMergeStmt': {
        const { a, b, target } = statement.stmt;
        return this.#assign(target, `merge(${this.#local(a)}, ${this.#local(b)})`);
      }
      case 'LenStmt':
        return this.#assign(statement.stmt.target, `length(${this.#value(statement.stmt.source)})`);
      case 'DotStmt':
        return this.#dot(statement.stmt);
      case 'EqualStmt':
        return this.#undefinedIf(`!${this.#equality(statement.stmt)}`);
      case 'NotEqualStmt':
        return this.#undefinedIf(this.#equality(statement.stmt));
      case 'IsDefinedStmt':
        return this.#undefinedIf(`${this.#local(statement.stmt.source)} === undefined`);
      case 'IsUndefinedStmt':
        return this.#undefinedIf(`${this.#local(statement.stmt.source)} !== undefined`);
      case 'IsArrayStmt':
        return this.#undefinedIf(`!Array.isArray(${this.#value(statement.stmt.source)})`);
      case 'IsObjectStmt':
        return this.#undefinedIf(`!isObject(${this.#value(statement.stmt.source)})`);
      case 'IsSetStmt':
        return this.#undefinedIf(`!(${this.#value(statement.stmt.source)} instanceof RegoSet)`);
      case 'BlockStmt':
        return statement.stmt.blocks.forEach((block) => this.#block(block));
      case 'BreakStmt':
        return this.#emit(this.#jump(statement.stmt.index));
      case 'ReturnLocalStmt':
        return this.#emit(this.#program.returned(this.#local(statement.stmt.source)));
      case 'NotStmt':
        return this.#not(statement.stmt);
      case 'ScanStmt':
        return this.#scan(statement.stmt);
      case 'WithStmt':
        return this.#with(statement.stmt);
      case 'CallStmt':
        return this.#call(statement.stmt);
      case 'CallDynamicStmt':
        return this.#callDynamic(statement.stmt);
      case 'NopStmt':
        return;
      case 'ResultSetAddStmt':
        throw new PlanRefusal('an entrypoint that yields more than one result');
    }
  }

  /**
   * The hot statement of every policy: a member of a record is read in place, so that V8 learns the shapes it sees
   * here. Whatever the place does not hold, or holds by inheritance, is looked up properly.
   */
  #dot({ source, key, target }: Fields<'DotStmt'>): void {
    if (source.type !== 'local') return this.#emit(this.#jump(0));
    const from = this.#local(source.value);
    const name = this.#value(key);
    if (key.type !== 'string_index' || isReserved(this.#string(key.value))) {
      this.#assign(target, `lookup(${from}, ${name})`);
      return this.#undefinedIf(`${this.#local(target)} === undefined`);
    }
    const found = this.#local(target);
    const readable = `typeof ${from} === 'object' && ${from} !== null && !(${name} in inherited)`;
    this.#assign(target, `${readable} ? ${from}[${name}] : undefined`);
    this.#undefinedIf(
      `${found} === undefined && (${found} = lookupElsewhere(${from}, ${name})) === undefined`,
    );
  }

  #equality({ a, b }: Fields<'EqualStmt'>): string {
    const [x, y] = [this.#value(a), this.#value(b)];
    return a.type === 'local' && b.type === 'local' ? `equal(${x}, ${y})` : `(${x} === ${y})`;
  }

  #not({ block }: Fields<'NotStmt'>): void {
    const holds = `not${this.#names++}`;
    this.#emit(`let ${holds} = true;`);
    this.#labelled([], () => {
      this.#statements(block.stmts);
      this.#emit(`${holds} = false;`);
    });
    this.#undefinedIf(`!${holds}`);
  }

  #with({ local, path, value, block }: Fields<'WithStmt'>): void {
    const id = this.#names++;
    const name = this.#local(local);
    const keys = JSON.stringify(path.map((key) => this.#string(key)));
    this.#emit(`const saved${id} = ${name};`);
    this.#emit(`const memo${id} = takeMemo();`);
    this.#emit(`let undefined${id} = true;`);
    this.#emit(`${name} = upsert(${name}, ${keys}, ${this.#value(value)});`);
    this.#labelled([null], () => {
      this.#statements(block.stmts);
      this.#emit(`undefined${id} = false;`);
    });
    this.#emit(`${name} = saved${id};`);
    this.#emit(`putMemo(memo${id});`);
    this.#undefinedIf(`undefined${id}`);
  }

  #labelled(outer: null[], write: () => void): void {
    const label: Target = { jump: 'break', name: `b${this.#names++}`, used: false };
    this.#emit(`${label.name}: {`);
    this.#inside([label, ...outer], write);
    this.#emit('}');
  }

  /** A scan counts for two in the arithmetic of BreakStmt: 0 goes on with the next element, 1 leaves the loop. */
  #scan({ source, key, value, block }: Fields<'ScanStmt'>): void {
    const id = this.#names++;
    const next: Target = { jump: 'continue', name: `scan${id}`, used: false };
    const done: Target = { jump: 'break', name: `scan${id}`, used: false };
    const keys = buildsArray(block) ? 'sortedScanKeys' : 'scanKeys';
    this.#emit(`const keys${id} = ${keys}(${this.#local(source)});`);
    this.#emit(`const values${id} = scanValues(${this.#local(source)}, keys${id});`);
    const start = this.#lines.length;
    this.#emit(`for (let i${id} = 0; i${id} < values${id}.length; i${id}++) {`);
    this.#inside([next, done], () => {
      this.#assign(key, `keys${id} === null ? i${id} : keys${id}[i${id}]`);
      this.#assign(value, `values${id}[i${id}]`);
      this.#statements(block.stmts);
    });
    this.#emit('}');
    if (next.used || done.used) this.#lines[start] = this.#lines[start].replace('for', `scan${id}: for`);
  }

  #call({ func, args, result }: Fields<'CallStmt'>): void {
    const callee = this.#program.callee(func);
    const [first] = args;
    if (first?.type === 'string_index') requireExact(func, this.#string(first.value));
    this.#assign(result, `${callee}(${args.map((arg) => this.#value(arg)).join(', ')})`);
    this.#undefinedIf(`${this.#local(result)} === undefined`);
  }

  #callDynamic({ args, path, result }: Fields<'CallDynamicStmt'>): void {
    const callee = `callee${this.#names++}`;
    this.#emit(`const ${callee} = dynamicCallee([${path.map((part) => this.#value(part)).join(', ')}]);`);
    this.#undefinedIf(`${callee} === undefined`);
    this.#assign(result, `${callee}(${args.map((arg) => this.#local(arg)).join(', ')})`);
    this.#emit(`if (${this.#local(result)} === undefined) ${this.#jump(3)}`);
  }

  #undefinedIf(condition: string): void {
    this.#emit(`if (${condition}) ${this.#jump(0)}`);
  }

  #jump(depth: number): string {
    const target = this.#targets[depth];
    if (target === undefined || this.#targets.slice(0, depth).includes(null)) {
      throw new PlanRefusal('a jump that leads nowhere');
    }
    if (target === null) throw new PlanRefusal('a jump out of `with`');
    target.used = true;
    return `${target.jump} ${target.name};`;
  }

  #assign(target: number, expression: string): void {
    this.#emit(`${this.#local(target)} = ${expression};`);
  }

  #value(operand: Operand): string {
    if (operand.type === 'local') return this.#local(operand.value);
    return operand.type === 'bool' ? String(operand.value) : JSON.stringify(this.#string(operand.value));
  }

  #number(text: string): string {
    const number = parseNumber(text);
    const rewritten = !/^-?(0|[1-9]\d*)$/.test(text) && String(number) !== text;
    if (number === undefined || (rewritten && this.#program.showsNumbers)) {
      throw new PlanRefusal(`the number ${text.slice(0, 40)}`);
    }
    return typeof number === 'number'
      ? String(number)
      : `new BigDecimal(${number.coefficient}n, ${number.exponent})`;
  }

  #local(local: number): string {
    this.#locals.add(local);
    return localName(local);
  }

  #string(index: number): string {
    const text = this.#program.strings[index];
    if (text === undefined) throw new PlanRefusal('a string that the plan does not hold');
    return text;
  }

  #emit(line: string): void {
    this.#lines.push('  '.repeat(this.#indent) + line);
  }
}

interface Target {
  readonly jump: 'break' | 'continue';
  readonly name: string;
  used: boolean;
}

/** By the convention of plans the first two locals are the documents. */
export function localName(local: number): string {
  return local === 0 ? 'input' : local === 1 ? 'data' : `v${local}`;
}
