import { matches } from './constants.ts';
import { width } from './bits.ts';
import { V128 } from '../../../src/runtime/module/value-types.ts';
import type { Command, Constant, Script } from './suite.ts';
import { aroundCall, linkedInstantiation } from './linked.ts';
import { instantiatePlain, type Outcome, preparedInstantiation, World } from './world.ts';

export interface Tally {
  /** Commands that ended the same way in both worlds. */
  readonly same: number;
  /** Of these: as the specification says. The rest is the engine's doing, in both. */
  readonly asSpecified: number;
  readonly modules: number;
  /** Why modules were refused → how many. */
  readonly refusals: ReadonlyMap<string, number>;
}

const SKIPPED = new Set([
  'assert_invalid',
  'assert_malformed',
  'assert_invalid_custom',
  'assert_malformed_custom',
]);

/** Runs a script as it is and prepared, and adds what differs to `differences`. */
export function compareScript(script: Script, differences: string[]): Tally {
  const refusals = new Map<string, number>();
  const prepared = new World(script, preparedInstantiation(counting(refusals)), spectest());
  return compare(script, prepared, 'prepared', differences, refusals, (text) => text);
}

/** The same with modules linked into pods. Why they trap, pods do not tell. */
export function compareLinked(script: Script, differences: string[]): Tally {
  const refusals = new Map<string, number>();
  const linked = new World(script, linkedInstantiation(counting(refusals)), spectest(), aroundCall);
  return compare(script, linked, 'linked', differences, refusals, (text) =>
    text.replace(/^(RuntimeError|RangeError: Maximum call stack).*/, 'trap'),
  );
}

function counting(refusals: Map<string, number>): (reason: string) => void {
  return (reason) => refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
}

function compare(
  script: Script,
  prepared: World,
  how: string,
  differences: string[],
  refusals: ReadonlyMap<string, number>,
  words: (text: string) => string,
): Tally {
  const plain = new World(script, instantiatePlain, spectest());
  let [same, asSpecified, modules] = [0, 0, 0];
  for (const command of script.commands) {
    if (SKIPPED.has(command.type)) continue;
    const [original, rewritten] = [plain.run(command), prepared.run(command)];
    if (command.type === 'module' || command.type === 'module_instance') modules++;
    if (words(original?.text ?? '') !== words(rewritten?.text ?? '')) {
      const found = `${original?.text} when plain, ${rewritten?.text} when ${how}`;
      differences.push(`${script.suite}/${script.name}:${command.line} ${found}`);
    } else if (original !== null) {
      same++;
      if (isAsSpecified(command, original)) asSpecified++;
    }
  }
  return { same, asSpecified, modules, refusals };
}

function isAsSpecified(command: Command, outcome: Outcome): boolean {
  switch (command.type) {
    case 'assert_return':
      return (
        outcome.text.startsWith('returned') &&
        (command.action?.type === 'get' || resultsMatch(command.expected ?? [], outcome.values))
      );
    case 'assert_trap':
    case 'assert_uninstantiable':
      return outcome.text.startsWith('RuntimeError') || outcome.text.startsWith('RangeError');
    case 'assert_exhaustion':
      return outcome.text.startsWith('RangeError');
    case 'assert_exception':
      return outcome.text === 'exception';
    case 'assert_unlinkable':
      return outcome.text === 'LinkError' || outcome.text.startsWith('TypeError');
    default:
      return outcome.text.startsWith('returned');
  }
}

function resultsMatch(expected: readonly Constant[], values: readonly unknown[]): boolean {
  let at = 0;
  return expected.every((constant) => {
    const count = isVector(constant) ? width(V128) : 1;
    return matches(constant, values.slice(at, (at += count)));
  });
}

function isVector(constant: Constant): boolean {
  return constant.type === 'v128' || (constant.type === 'either' && constant.values?.[0]?.type === 'v128');
}

function print(): void {}

function global(value: WebAssembly.ValueType, initial: number | bigint): WebAssembly.Global {
  return new WebAssembly.Global({ value }, initial as never);
}

/** The host module that the suite's scripts import from. */
function spectest(): WebAssembly.ModuleImports {
  return {
    print,
    print_i32: print,
    print_i64: print,
    print_f32: print,
    print_f64: print,
    print_i32_f32: print,
    print_f64_f64: print,
    global_i32: global('i32', 666),
    global_i64: global('i64', 666n),
    global_f32: global('f32', 666.6),
    global_f64: global('f64', 666.6),
    table: new WebAssembly.Table({ element: 'anyfunc', initial: 10, maximum: 20 }),
    memory: new WebAssembly.Memory({ initial: 1, maximum: 2 }),
  };
}
