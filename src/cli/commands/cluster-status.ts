import type { Command } from 'commander';
import type { FunctionState, Survey } from '../../kubernetes/install/survey.ts';
import { defineCommand } from '../define.ts';
import type { Shell } from '../shell.ts';
import { printResult } from '../ui/report.ts';
import { type Column, formatTable } from '../ui/table.ts';
import { type Paint, printable } from '../ui/terminal.ts';
import { type ClusterFlags, withCluster, withClusterOptions } from '../clusters/access.ts';

interface Report extends Survey {
  readonly server: string;
  readonly kubernetes: string;
  readonly troubles: readonly string[];
}

export function clusterStatusCommand(shell: Shell): Command {
  const command = defineCommand(
    'status',
    'Show the platform in a cluster; exit code 1 when it cannot work.',
    [
      ['mayfly cluster status', 'of the cluster that kubectl speaks to'],
      ['mayfly cluster status --json | jq \'.functions[] | select(.ready != "True")\'', 'what is not ready'],
    ],
  );
  return withClusterOptions(command).action(async (flags: ClusterFlags) => {
    const report = await look(shell, flags);
    printResult(shell.terminal, report, formatReport);
    if (report.troubles.length > 0) shell.exitCode = 1;
  });
}

async function look(shell: Shell, flags: ClusterFlags): Promise<Report> {
  const { survey, troubles } = await import('../../kubernetes/install/survey.ts');
  const { platformObjects } = await import('../../kubernetes/install/platform.ts');
  const shipped = platformObjects({ image: null, operators: null });
  return await withCluster(shell, flags, async (cluster, server) => {
    const [kubernetes, found] = await Promise.all([cluster.version(), survey(cluster, shipped)]);
    return { server, kubernetes, ...found, troubles: troubles(found) };
  });
}

function formatReport(report: Report, paint: Paint): string {
  const { server, kubernetes, platform, operator, nodes, optional, functions, troubles } = report;
  const differing = platform
    .filter(({ state }) => state === 'differs')
    .map(({ kind, name }) => `${kind} ${name}`);
  const there = platform.filter(({ state }) => state !== 'missing').length;
  const changed = differing.length === 0 ? '' : `; not as this version ships them: ${differing.join(', ')}`;
  const has = Object.keys(optional).filter((name) => optional[name] === true);
  const lacks = Object.keys(optional).filter((name) => optional[name] === false);
  const leader =
    operator.leader === null ? 'none leads' : `${operator.leader} leads, seen ${operator.leaderSeenAt}`;
  const lines = [
    `Kubernetes ${kubernetes} at ${server}`,
    `platform   ${there} of ${platform.length} objects${changed}`,
    `operator   ${operator.ready} of ${operator.wanted} ready, ${leader}`,
    `nodes      ${nodes.ready} of ${nodes.all} ready, ${nodes.wasmedge} marked for WasmEdge pods`,
    `also       ${has.length === 0 ? 'nothing' : has.join(', ')}; not there: ${lacks.length === 0 ? 'nothing' : lacks.join(', ')}`,
  ];
  return [
    ...lines.map(printable),
    ...troubles.map((text) => `${paint('red', 'trouble')}    ${printable(text)}`),
    '',
    functions.length === 0 ? 'No Functions.\n' : formatTable(columns, functions, paint),
  ].join('\n');
}

const columns: Column<FunctionState>[] = [
  { title: 'namespace', cell: ({ namespace }) => namespace },
  { title: 'function', cell: ({ name }) => name },
  { title: 'runtime', cell: ({ runtime }) => runtime },
  { title: 'ready', cell: ({ ready }) => ready },
  { title: 'pods', cell: ({ pods }) => pods },
  { title: 'reason', cell: ({ reason }) => reason },
  { title: 'message', cell: ({ message }) => message },
];
