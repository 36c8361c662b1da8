import type { Command } from 'commander';
import { connect, defineClientCommand } from '../admin/command.ts';
import type { ConnectionOptions } from '../admin/connection.ts';
import type { Shell } from '../shell.ts';
import { MayflyError } from '../../model/errors.ts';
import { printResult } from '../ui/report.ts';

export function reloadCommand(shell: Shell): Command {
  return defineClientCommand(
    'reload',
    'Make a running server read its configuration again, as SIGHUP does.',
    [['mayfly reload', 'says what changed; a bad file leaves the old one running']],
  ).action((options: ConnectionOptions) => reload(shell, options));
}

async function reload(shell: Shell, options: ConnectionOptions): Promise<void> {
  const { reloadReport } = await import('../../control/admin/schemas.ts');
  const client = await connect(shell, options);
  const report = await client.call('/v1/reload', reloadReport, { method: 'POST' });
  if (!report.ok) {
    throw new MayflyError('The new configuration was refused; the old one stays in force', {
      fix: report.error ?? undefined,
      exitCode: 2,
      code: 'invalid-configuration',
    });
  }
  const { deployed, removed, needs_restart } = report;
  printResult(shell.terminal, report, (_, paint) => {
    const changes = [
      ...deployed.map((name) => `  deployed ${name}\n`),
      ...removed.map((name) => `  removed ${name}\n`),
      ...needs_restart.map((key) => `  ${paint('yellow', 'warning')} ${key} acts after a restart\n`),
    ];
    return `${paint('green', 'ok')} The configuration is in force.\n${changes.join('')}`;
  });
}
