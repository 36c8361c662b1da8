import type { CompilerAnswer, SourceLocation, TestListing } from '../compiler/protocol.ts';
import type { HostBuiltin } from '../builtins/host.ts';
import { arrayItems } from '../builtins/rego-text.ts';
import { WasmEvaluator } from '../wasm-evaluator.ts';

export type Outcome = 'pass' | 'fail' | 'skip' | 'error';

export interface TestResult {
  /** `data.shop_test` */
  readonly package: string;
  readonly name: string;
  readonly location: SourceLocation | null;
  readonly outcome: Outcome;
  readonly durationMs: number;
  /** Why, where `outcome` is `error`. */
  readonly error: string | null;
  /** The cases of a `test_x[case]` rule, in order of name. */
  readonly cases: readonly { readonly name: string; readonly passed: boolean }[];
}

export interface TestReport {
  readonly results: readonly TestResult[];
}

/**
 * Evaluates every test rule of a compiled policy with `opa test`'s meaning: a test passes when it is true,
 * fails when it is undefined or anything else, and `input` is undefined unless the test says `with input as`.
 */
export function runTests(answer: CompilerAnswer, data: unknown): TestReport {
  if (answer.wasm === undefined) return { results: answer.tests.map(skipped) };
  const announced: string[] = [];
  const announce: HostBuiltin = ([names]) => {
    announced.push(
      arrayItems(names as string)
        .map(caseName)
        .join('/'),
    );
    return 'true';
  };
  const module = new WebAssembly.Module(Uint8Array.fromBase64(answer.wasm));
  const evaluator = new WasmEvaluator(module, data, {
    builtins: new Map([['internal.test_case', announce]]),
  });
  const results = answer.tests.map((test) => {
    if (test.skip) return skipped(test);
    announced.length = 0;
    const started = performance.now();
    const { value, error } = attempt(() => evaluator.evaluateWithoutInput(test.path));
    const durationMs = performance.now() - started;
    const cases = test.cases && error === null ? caseResults(value, announced) : [];
    const passed = test.cases ? value !== undefined && cases.every((one) => one.passed) : value === true;
    const outcome: Outcome = error !== null ? 'error' : passed ? 'pass' : 'fail';
    return { ...listed(test), outcome, durationMs, error, cases };
  });
  return { results };
}

/** A case that was announced and left no true member behind has failed. */
function caseResults(value: unknown, announced: readonly string[]): TestResult['cases'] {
  const outcomes = new Map<string, boolean>();
  for (const name of announced) outcomes.set(name, false);
  collect(value, '', outcomes);
  return [...outcomes].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, passed]) => ({ name, passed }));
}

function collect(value: unknown, name: string, outcomes: Map<string, boolean>): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    outcomes.set(name, value === true);
    return;
  }
  for (const [key, member] of Object.entries(value)) {
    collect(member, name === '' ? key : `${name}/${key}`, outcomes);
  }
}

function caseName(text: string): string {
  return text.startsWith('"') ? (JSON.parse(text) as string) : text;
}

function attempt(evaluate: () => unknown): { value: unknown; error: string | null } {
  try {
    return { value: evaluate(), error: null };
  } catch (cause) {
    return { value: undefined, error: cause instanceof Error ? cause.message : String(cause) };
  }
}

function skipped(test: TestListing): TestResult {
  return { ...listed(test), outcome: 'skip', durationMs: 0, error: null, cases: [] };
}

function listed(test: TestListing): Pick<TestResult, 'package' | 'name' | 'location'> {
  return { package: test.package, name: test.name, location: test.location };
}
