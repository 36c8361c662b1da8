/**
 * Random inputs, half of them with something of the wrong type, over the policies beside this file: JavaScript against
 * WebAssembly and, where there is Go, OPA itself. `node test/conformance/rego-random.ts --cases 1000000 [--seed 1]`
 * prints a table and exits with 1 if there was a disagreement.
 */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { runTask } from '../../src/policy/worker/run-task.ts';
import { instantiatePlan } from '../../src/policy/plan/instantiate.ts';
import { translatePlan } from '../../src/policy/plan/translate.ts';
import { WasmEvaluator } from '../../src/policy/wasm-evaluator.ts';
import { InputSource } from './input-source.ts';
import { hasGo, NativeOpa } from './native-opa.ts';
import { agree, outcomeOf, type Outcome } from './outcome.ts';

export interface Disagreement {
  readonly policy: string;
  readonly input: unknown;
  readonly javascript: Outcome;
  readonly wasm: Outcome;
  readonly native: Outcome | null;
}

export interface Comparison {
  cases: number;
  readonly policies: readonly string[];
  /** Decisions with a defined value. */
  defined: number;
  /** Decisions that JavaScript left to WebAssembly. */
  fallbacks: number;
  /** Decisions that only WebAssembly could not give: it traps or aborts where OPA itself answers. */
  wasmFailures: number;
  readonly disagreements: Disagreement[];
}

const data = { owner: 'owner' };
const batch = 1000;

/** Every package is one entrypoint: a decision is the value of all of its rules. */
export async function compare(cases: number, seed: number, native: boolean): Promise<Comparison> {
  const files = globSync('policies/*.rego', { cwd: import.meta.dirname }).toSorted();
  const modules = Object.fromEntries(
    files.map((file) => [file, readFileSync(join(import.meta.dirname, file), 'utf8')]),
  );
  const entrypoints = files.map((file) => basename(file, '.rego'));
  const { answer } = await runTask('compile', { request: { modules, entrypoints, tests: false }, data });
  const translated = translatePlan(answer.plan);
  if ('refused' in translated) throw new Error(translated.refused);
  const wasm = new WasmEvaluator(new WebAssembly.Module(Uint8Array.fromBase64(answer.wasm as string)), data);
  const javascript = instantiatePlan(translated.javascript, data, () => wasm);
  const decisions = entrypoints.map((name) => [javascript.entrypoint(name), wasm.entrypoint(name)] as const);
  const opa = native ? new NativeOpa({ modules, entrypoints, data }) : null;
  const comparison: Comparison = {
    cases: 0,
    policies: entrypoints,
    defined: 0,
    fallbacks: 0,
    wasmFailures: 0,
    disagreements: [],
  };
  const source = new InputSource(seed);
  while (comparison.cases < cases) {
    const count = Math.min(batch, cases - comparison.cases);
    const questions = Array.from(
      { length: count },
      (_, i) => [(comparison.cases + i) % entrypoints.length, source.next()] as const,
    );
    const natives = (await opa?.decideAll(questions)) ?? [];
    for (const [i, [policy, input]] of questions.entries()) {
      const [ours, theirs] = decisions[policy]!.map((decide) => outcomeOf(decide, input)) as [
        Outcome,
        Outcome,
      ];
      const expected = natives[i] ?? null;
      if (ours.kind === 'value') comparison.defined++;
      if (ours.kind !== 'error' && theirs.kind === 'error' && (expected === null || agree(ours, expected))) {
        comparison.wasmFailures++;
        continue;
      }
      if (!agree(ours, theirs) || (expected !== null && !agree(ours, expected))) {
        comparison.disagreements.push({
          policy: entrypoints[policy]!,
          input,
          javascript: ours,
          wasm: theirs,
          native: expected,
        });
      }
    }
    comparison.cases += count;
  }
  comparison.fallbacks = javascript.fallbacks;
  opa?.close();
  return comparison;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { cases: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
  });
  const native = hasGo();
  const result = await compare(Number(values.cases), Number(values.seed), native);
  console.log(
    '| policies | inputs | defined | left to Wasm | failed in Wasm alone | forms | disagreements |\n|---:|---:|---:|---:|---:|---|---:|',
  );
  console.log(
    `| ${result.policies.length} | ${result.cases} | ${result.defined} | ${result.fallbacks} | ${result.wasmFailures} | JavaScript, Wasm${native ? ', OPA' : ''} | ${result.disagreements.length} |`,
  );
  for (const disagreement of result.disagreements.slice(0, 10)) console.log(JSON.stringify(disagreement));
  process.exitCode = result.disagreements.length > 0 ? 1 : 0;
}
