import type { Command } from 'commander';
import type { z } from 'zod';
import type { status } from '../../control/admin/schemas.ts';
import { connect, defineClientCommand } from '../admin/command.ts';
import type { ConnectionOptions } from '../admin/connection.ts';
import type { Shell } from '../shell.ts';
import { printResult } from '../ui/report.ts';
import { formatTable, type Column } from '../ui/table.ts';
import { printable, type Paint } from '../ui/terminal.ts';

type Status = z.infer<typeof status>;

export function statusCommand(shell: Shell): Command {
  return defineClientCommand('status', 'Show how a running server is: threads, warnings, the last reload.', [
    ['mayfly status', 'of the server of this folder, or the one that runs'],
    ["mayfly status --json | jq '.threads'", 'its threads, for programs'],
  ]).action(async (options: ConnectionOptions) => {
    const schemas = await import('../../control/admin/schemas.ts');
    const client = await connect(shell, options);
    printResult(shell.terminal, await client.call('/v1/status', schemas.status), formatStatus);
  });
}

function formatStatus(found: Status, paint: Paint): string {
  const { version, started_at, gateway, functions, threads, warnings, last_reload } = found;
  const reload =
    last_reload === null
      ? 'none yet'
      : `${last_reload.at}, ${last_reload.ok ? 'in force' : printable(`refused: ${last_reload.error ?? ''}`)}`;
  return [
    `Mayfly ${version} at ${gateway}, since ${started_at}`,
    `functions  ${functions}`,
    `reload     ${reload}`,
    ...warnings.map((text) => `${paint('yellow', 'warning')}    ${printable(text)}`),
    '',
    formatTable(columns, threads, paint),
  ].join('\n');
}

const columns: Column<Status['threads'][number]>[] = [
  { title: 'thread', cell: ({ role, index }) => `${role} ${index}` },
  { title: 'state', cell: ({ state }) => state },
  { title: 'restarts', cell: ({ restarts }) => restarts },
  { title: 'snapshot', cell: ({ applied }) => applied },
];
