/**
 * OPA's own test cases, as a table: `node test/conformance/rego.ts`. With Go on the machine (or the cases in the cache
 * folder already) the WebAssembly form runs too; without, the plans of the fixture run as JavaScript. Exits with 1
 * where a translated policy gives anything but what OPA's own evaluator gives.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fixtureCases, type OpaCase } from './cases.ts';
import { agree, exceptions, javascriptOutcome, nativeOutcome, wasmOutcome, type Outcome } from './outcome.ts';
import { completeCases, completeCasesFile } from './rego-fixture.ts';

export class Tally {
  passed = 0;
  failed: string[] = [];
  fellBack = 0;
  excepted = 0;
  readonly refused = new Map<string, number>();

  add(note: string, outcome: Outcome, expected: Outcome): void {
    if (outcome.kind === 'refused')
      this.refused.set(outcome.reason, (this.refused.get(outcome.reason) ?? 0) + 1);
    else if (outcome.kind === 'fallback') this.fellBack++;
    else if (agree(outcome, expected)) this.passed++;
    else if (Object.hasOwn(exceptions, note)) this.excepted++;
    else this.failed.push(note);
  }

  get refusals(): number {
    return [...this.refused.values()].reduce((sum, count) => sum + count, 0);
  }
}

export interface Report {
  total: number;
  /** Cases that OPA's own compiler does not compile, or whose input is no JSON. */
  notRun: number;
  readonly javascript: Tally;
  readonly wasm: Tally;
}

export async function run(cases: Iterable<OpaCase> | AsyncIterable<OpaCase>): Promise<Report> {
  const report: Report = { total: 0, notRun: 0, javascript: new Tally(), wasm: new Tally() };
  for await (const opaCase of cases) {
    report.total++;
    if (opaCase.skipped !== undefined || opaCase.inputTerm !== undefined) {
      report.notRun++;
      continue;
    }
    const expected = nativeOutcome(opaCase);
    report.javascript.add(opaCase.note, javascriptOutcome(opaCase), expected);
    if (opaCase.wasm !== undefined) report.wasm.add(opaCase.note, wasmOutcome(opaCase), expected);
  }
  return report;
}

function print({ total, notRun, javascript, wasm }: Report): void {
  const row = (name: string, value: (tally: Tally) => number) =>
    console.log(`| ${name} | ${value(javascript)} | ${value(wasm)} |`);
  console.log(`${total} cases, ${notRun} of them not run (input that is no JSON, or not to be compiled).\n`);
  console.log('| | JavaScript | Wasm |\n|---|---:|---:|');
  row('refused', (tally) => tally.refusals);
  row('as OPA evaluates', (tally) => tally.passed);
  row('left to the other form at run time', (tally) => tally.fellBack);
  row("differs, on OPA's list of exceptions", (tally) => tally.excepted);
  row('differs', (tally) => tally.failed.length);
  console.log('\nRefused by JavaScript, by reason:');
  for (const [reason, count] of [...javascript.refused].toSorted((a, b) => b[1] - a[1]))
    console.log(`${count}  ${reason}`);
  for (const note of javascript.failed) console.log(`JavaScript differs: ${note}`);
  for (const note of wasm.failed) console.log(`Wasm differs: ${note}`);
}

if (import.meta.main) {
  const complete = existsSync(completeCasesFile) || spawnSync('go', ['version']).status === 0;
  const report = await run(complete ? completeCases() : fixtureCases());
  print(report);
  process.exitCode = report.javascript.failed.length > 0 ? 1 : 0;
}
