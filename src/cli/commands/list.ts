import type { Command } from 'commander';
import type { z } from 'zod';
import type { functionSummary } from '../../control/admin/schemas.ts';
import { connect, defineClientCommand } from '../admin/command.ts';
import type { ConnectionOptions } from '../admin/connection.ts';
import { formatRolloutShort, formatRoute, formatTraffic } from '../admin/format.ts';
import { shortDigest } from '../serving/overview.ts';
import type { Shell } from '../shell.ts';
import { formatBytes } from '../ui/bytes.ts';
import { printResult } from '../ui/report.ts';
import { formatTable, type Column } from '../ui/table.ts';

export function listCommand(shell: Shell): Command {
  return defineClientCommand('list', 'List the functions of a running server.', [
    ['mayfly list', 'names, routes, traffic, size and digest'],
    ["mayfly list --json | jq -r '.functions[].name'", 'the names alone'],
  ])
    .alias('ls')
    .action((options: ConnectionOptions) => list(shell, options));
}

async function list(shell: Shell, options: ConnectionOptions): Promise<void> {
  const { functionList } = await import('../../control/admin/schemas.ts');
  const client = await connect(shell, options);
  const answer = await client.call('/v1/functions', functionList);
  printResult(shell.terminal, answer, ({ functions }, paint) =>
    functions.length === 0
      ? 'There is no function yet: mayfly deploy NAME FILE.\n'
      : formatTable(columns, functions, paint),
  );
}

const columns: Column<z.infer<typeof functionSummary>>[] = [
  { title: 'function', cell: ({ name }) => name },
  { title: 'routes', cell: ({ routes }) => routes.map(formatRoute).join(' · ') },
  { title: 'kind', cell: ({ kind }) => kind },
  { title: 'size', cell: ({ bytes }) => formatBytes(bytes) },
  { title: 'digest', cell: ({ digest }) => shortDigest(digest) },
  { title: 'traffic', cell: ({ traffic }) => formatTraffic(traffic) },
  { title: 'rollout', cell: ({ rollout }) => formatRolloutShort(rollout) },
  { title: 'owner', cell: ({ owner }) => owner },
];
