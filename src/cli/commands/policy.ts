import { Command } from 'commander';
import { defineCommand } from '../define.ts';
import { readInput, readJsonInput } from '../input.ts';
import { collectRego, readRego } from '../rego-files.ts';
import type { Shell } from '../shell.ts';
import { printResult } from '../ui/report.ts';

interface EvalOptions {
  readonly rule: string;
  readonly input?: string;
  readonly data?: string;
}

export function policyCommand(shell: Shell): Command {
  return new Command('policy')
    .description('Try and test Rego policies without a server.')
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .addCommand(evalCommand(shell))
    .addCommand(testCommand(shell));
}

function evalCommand(shell: Shell): Command {
  return defineCommand('eval', 'Print the value of a rule as JSON; exit code 1 when it is undefined.', [
    ['mayfly policy eval policy.rego --rule data.serverless.allow --input input.json', 'true or false'],
    [
      'echo \'{"method":"GET"}\' | mayfly policy eval policies --rule data.shop --input -',
      'all rules of a package',
    ],
  ])
    .argument('<files...>', 'Rego files, or folders of them')
    .requiredOption('--rule <name>', 'full name of a rule or package: data.PACKAGE.RULE')
    .option('--input <file>', 'JSON that the rules see as `input`; - is stdin')
    .option('--data <file>', 'JSON or YAML that the rules see under `data`')
    .action((files: string[], options: EvalOptions) => evaluate(shell, files, options));
}

async function evaluate(
  shell: Shell,
  paths: readonly string[],
  { rule, input, data }: EvalOptions,
): Promise<void> {
  const { evaluatePolicy } = await import('../../policy/eval.ts');
  const value = await evaluatePolicy({
    files: await readRego(collectRego(paths, { tests: false })),
    data: data === undefined ? undefined : await readData(data),
    rule,
    ...(input !== undefined && { input: await readJsonInput(input) }),
  });
  const { terminal } = shell;
  if (value === undefined) {
    shell.exitCode = 1;
    if (!terminal.json) terminal.err.write('undefined\n');
  }
  // As `opa eval`: no result is no field.
  if (terminal.json) printResult(terminal, value === undefined ? {} : { result: value }, () => '');
  else if (value !== undefined) terminal.out.write(`${JSON.stringify(value, null, 2)}\n`);
}

function testCommand(shell: Shell): Command {
  return defineCommand(
    'test',
    'Run the unit tests of policies (`test_` rules), reported as `opa test` does.',
    [
      ['mayfly policy test policies', 'all tests below a folder'],
      ['mayfly policy test policy.rego policy_test.rego --verbose', 'two files, those that pass listed too'],
    ],
  )
    .argument('<files...>', 'Rego files, or folders of them')
    .option('--data <file>', 'JSON or YAML that the rules see under `data`')
    .option('-v, --verbose', 'list tests that pass too')
    .action((files: string[], options: { data?: string; verbose?: boolean }) =>
      runTests(shell, files, options),
    );
}

async function runTests(
  shell: Shell,
  paths: readonly string[],
  { data, verbose = false }: { data?: string; verbose?: boolean },
): Promise<void> {
  const { testPolicy } = await import('../../policy/testing/test-policy.ts');
  const { countOutcomes, formatReport, reportDocument } =
    await import('../../policy/testing/format-report.ts');
  const report = await testPolicy({
    files: await readRego(collectRego(paths, { tests: true })),
    data: data === undefined ? undefined : await readData(data),
  });
  const { fail, error, total } = countOutcomes(report);
  if (fail + error > 0) shell.exitCode = 1;
  if (total === 0) shell.terminal.err.write('There are no tests: rules whose names begin with test_.\n');
  printResult(shell.terminal, reportDocument(report), () => formatReport(report, { verbose }));
}

async function readData(file: string): Promise<unknown> {
  if (!/\.ya?ml$/.test(file)) return readJsonInput(file);
  const { parse } = await import('yaml');
  return parse((await readInput(file)).toString('utf8')) as unknown;
}
