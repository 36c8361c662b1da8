/** rollback and promote: which revision gets how many of the requests. */
import type { Command } from 'commander';
import { functionPath } from '../admin/client.ts';
import { connect, defineClientCommand } from '../admin/command.ts';
import type { ConnectionOptions } from '../admin/connection.ts';
import { formatTraffic } from '../admin/format.ts';
import { wholeNumber } from '../define.ts';
import type { Shell } from '../shell.ts';
import { printResult } from '../ui/report.ts';

const revisionNumber = wholeNumber(1, Number.MAX_SAFE_INTEGER);

export function rollbackCommand(shell: Shell): Command {
  return defineClientCommand('rollback', 'Give all requests to an earlier revision.', [
    ['mayfly rollback orders', 'to the one before'],
    ['mayfly rollback orders 3', 'to revision 3'],
  ])
    .argument('<name>', 'of the function')
    .argument('[revision]', 'number (default: the older one of a split, else the one before)', revisionNumber)
    .action((name: string, revision: number | undefined, options: ConnectionOptions) =>
      reroute(shell, functionPath(name, 'rollback'), revision === undefined ? {} : { revision }, options),
    );
}

export function promoteCommand(shell: Shell): Command {
  return defineClientCommand('promote', 'Give a revision a percentage of the requests.', [
    ['mayfly promote orders 4 50', 'half to revision 4, the rest stays'],
    ['mayfly promote orders 4 100', 'all to revision 4'],
  ])
    .argument('<name>', 'of the function')
    .argument('<revision>', 'its number', revisionNumber)
    .argument('<percent>', 'share of the requests', wholeNumber(0, 100))
    .action((name: string, revision: number, percent: number, options: ConnectionOptions) =>
      reroute(shell, functionPath(name, 'promote'), { revision, percent }, options),
    );
}

async function reroute(shell: Shell, path: string, order: object, options: ConnectionOptions): Promise<void> {
  const { traffic } = await import('../../control/admin/schemas.ts');
  const client = await connect(shell, options);
  const answer = await client.call(path, traffic, { json: order });
  printResult(
    shell.terminal,
    answer,
    (result, paint) => `${paint('green', 'ok')} ${formatTraffic(result.traffic)}\n`,
  );
}
