/**
 * `node bench/run.ts [question…] [--quick] [--json] [--check] [--publish]`
 * Measures and prints Markdown; raw figures go to bench/results/. Without a question: all of them.
 *   --quick    short and noisy
 *   --json     Markdown goes to stderr; the last line of stdout is {"rows":[…]}
 *   --check    fails when Mayfly's rate fell by more than 15 % against nginx's (bench/ratios.json)
 *   --publish  writes docs/benchmarks.md and its plots from the full runs there are
 *   --remember writes bench/ratios.json from the full run of the gateway
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkRatios, rememberRatios } from './lib/check.ts';
import { describeMachine, machineLine } from './lib/machine.ts';
import { renderTable } from './lib/markdown.ts';
import type { Answer, Question } from './lib/question.ts';
import { publish, saveResult, targetTable } from './lib/results.ts';
import { questions } from './questions.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    publish: { type: 'boolean', default: false },
    remember: { type: 'boolean', default: false },
  },
});
const { quick, json } = values;
const unknown = positionals.find((name) => !questions.some((question) => question.name === name));
if (unknown !== undefined) {
  console.error(
    `There is no question ${unknown}. Questions: ${questions.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}
const asked = values.check && positionals.length === 0 ? ['gateway'] : positionals;
const chosen = questions.filter(({ name }) => asked.length === 0 || asked.includes(name));

// With --json, stdout is for the program that reads it.
const print = (text: string): void => (json ? console.error(text) : console.log(text));
const machine = describeMachine();
print(machineLine(machine));
const rows: unknown[] = [];
let failed = false;
for (const question of chosen) {
  try {
    const answer = await ask(question);
    saveResult(question, answer, machine, quick);
    show(question, answer);
    rows.push(...(answer.rows ?? []));
    if (values.check && question.name === 'gateway')
      failed = !checkRatios(answer.rows ?? [], print) || failed;
  } catch (error) {
    failed = true;
    console.error(`${question.name} failed: ${error instanceof Error ? error.stack : String(error)}`);
  }
}
if (values.remember) rememberRatios(rows);
if (values.publish) print(`Written: ${publish(questions).join(', ')}`);
if (json) console.log(JSON.stringify({ rows }));
process.exit(failed ? 1 : 0);

async function ask(question: Question): Promise<Answer> {
  const scratch = mkdtempSync(join(tmpdir(), `mayfly-bench-${question.name}-`));
  const start = performance.now();
  try {
    return await question.run({ quick, scratch, say: (line) => console.error(`  ${line}`) });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
    console.error(`  ${question.name}: ${((performance.now() - start) / 1000).toFixed(0)} s`);
  }
}

function show(question: Question, { tables, targets, markdown }: Answer): void {
  print(`\n## ${question.title}\n`);
  if (markdown !== undefined) print(`${markdown}\n`);
  for (const table of tables) print(`${renderTable(table)}\n`);
  if (targets.length > 0) print(renderTable(targetTable(targets)));
}
