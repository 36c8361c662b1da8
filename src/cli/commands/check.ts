import type { Command } from 'commander';
import { checkConfig } from '../../config/load.ts';
import { ConfigError, type ConfigIssue } from '../../config/issues.ts';
import { findConfigFile } from '../../config/files.ts';
import { defineCommand } from '../define.ts';
import type { Shell } from '../shell.ts';
import { printResult } from '../ui/report.ts';

interface CheckReport {
  readonly file: string;
  readonly ok: boolean;
  readonly functions: number;
  readonly policies: boolean;
  readonly issues: readonly ConfigIssue[];
}

export function checkCommand(shell: Shell): Command {
  return defineCommand('check', 'Say what is wrong with a configuration and its policy, without starting.', [
    ['mayfly check', 'check mayfly.yaml of this folder'],
    ['mayfly check shop/mayfly.yaml --json', 'the same for programs'],
  ])
    .argument('[path]', 'configuration file, or its folder', '.')
    .action((path: string) => check(shell, path));
}

async function check({ terminal }: Shell, path: string): Promise<void> {
  const { config, issues } = checkConfig(path, terminal.env);
  const file = findConfigFile(path);
  if (config === null) throw new ConfigError(file, issues);
  const { resolveConfig } = await import('../../config/resolve.ts');
  const resolved = resolveConfig(config);
  const { policy } = resolved;
  const policies = policy !== null && policy.opaUrl === null;
  if (policies) {
    const { settlePolicy } = await import('../../control/foundation.ts');
    // What it is checked for is what is written.
    await settlePolicy(resolved.directory, { ...policy, compiledFolder: null }, null);
  }
  const report: CheckReport = { file, ok: true, functions: resolved.functions.length, policies, issues };
  printResult(terminal, report, ({ functions }, paint) => {
    const compiled = policies ? '; its policy compiles' : '';
    const count = functions === 1 ? 'one function' : `${functions} functions`;
    const warnings = resolved.warnings.map((text) => `${paint('yellow', 'warning')} ${text}\n`).join('');
    return `${paint('green', 'ok')} ${file}: ${count}${compiled}.\n${warnings}`;
  });
}
