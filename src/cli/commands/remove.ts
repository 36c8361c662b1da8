import type { Command } from 'commander';
import { functionPath } from '../admin/client.ts';
import { connect, defineClientCommand } from '../admin/command.ts';
import type { ConnectionOptions } from '../admin/connection.ts';
import type { Shell } from '../shell.ts';
import { printResult } from '../ui/report.ts';

export function removeCommand(shell: Shell): Command {
  return defineClientCommand('remove', 'Remove a function with all its revisions.', [
    ['mayfly remove hello', 'it is gone; one of the configuration is taken out of the file instead'],
  ])
    .alias('rm')
    .argument('<name>', 'of the function')
    .action(async (name: string, options: ConnectionOptions) => {
      const client = await connect(shell, options);
      await client.order(functionPath(name), { method: 'DELETE' });
      printResult(
        shell.terminal,
        { removed: name },
        (_, paint) => `${paint('green', 'ok')} ${name} is gone.\n`,
      );
    });
}
