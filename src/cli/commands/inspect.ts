import type { Command } from 'commander';
import type { z } from 'zod';
import type { functionDetail } from '../../control/admin/schemas.ts';
import { functionPath } from '../admin/client.ts';
import { connect, defineClientCommand } from '../admin/command.ts';
import type { ConnectionOptions } from '../admin/connection.ts';
import { formatRollout, formatRoute, formatTraffic } from '../admin/format.ts';
import { shortDigest } from '../serving/overview.ts';
import type { Shell } from '../shell.ts';
import { formatBytes } from '../ui/bytes.ts';
import { printResult } from '../ui/report.ts';
import { formatTable, type Column } from '../ui/table.ts';
import { printable, type Paint } from '../ui/terminal.ts';

type Detail = z.infer<typeof functionDetail>;

export function inspectCommand(shell: Shell): Command {
  return defineClientCommand('inspect', 'Show a function: routes, limits, revisions, what happened to it.', [
    ['mayfly inspect orders', 'everything about orders'],
    ["mayfly inspect orders --json | jq '.revisions[0].limits'", 'the limits of its newest revision'],
  ])
    .argument('<name>', 'of the function')
    .action((name: string, options: ConnectionOptions) => inspect(shell, name, options));
}

async function inspect(shell: Shell, name: string, options: ConnectionOptions): Promise<void> {
  const schemas = await import('../../control/admin/schemas.ts');
  const client = await connect(shell, options);
  const detail = await client.call(functionPath(name), schemas.functionDetail);
  printResult(shell.terminal, detail, formatDetail);
}

function formatDetail(detail: Detail, paint: Paint): string {
  const { name, owner, routes, traffic, revisions, events, rollout } = detail;
  const [newest] = revisions;
  const limits = Object.entries(newest?.limits ?? {}).map(([key, value]) => `  ${key.padEnd(24)} ${value}`);
  return [
    `${paint('bold', printable(name))} (${owner === 'file' ? 'from the configuration' : 'deployed over the admin API'})`,
    `traffic  ${formatTraffic(traffic)}`,
    ...(rollout === null ? [] : [`rollout  ${printable(formatRollout(rollout))}`]),
    ...routes.map((route) => `route    ${printable(formatRoute(route))}  auth ${route.auth}`),
    `env      ${newest === undefined || newest.env.length === 0 ? '(none)' : newest.env.map(printable).join(', ')}`,
    '',
    paint('bold', 'limits of the newest revision'),
    ...limits,
    '',
    formatTable(revisionColumns, revisions, paint),
    formatTable(eventColumns, events, paint),
  ].join('\n');
}

const revisionColumns: Column<Detail['revisions'][number]>[] = [
  { title: 'revision', cell: ({ number }) => number },
  { title: 'kind', cell: ({ kind }) => kind },
  { title: 'size', cell: ({ bytes }) => formatBytes(bytes) },
  { title: 'digest', cell: ({ digest }) => shortDigest(digest) },
  { title: 'created', cell: (row) => row.created_at },
  { title: 'by', cell: (row) => row.created_by },
  { title: 'source', cell: ({ source }) => source },
];

const eventColumns: Column<Detail['events'][number]>[] = [
  { title: 'time', cell: ({ time }) => time },
  { title: 'by', cell: ({ actor }) => actor },
  { title: 'what', cell: ({ action }) => action },
  { title: 'detail', cell: ({ detail }) => JSON.stringify(detail) },
];
