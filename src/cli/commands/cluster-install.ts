import type { Command } from 'commander';
import type { Installed } from '../../kubernetes/install/install.ts';
import type { Wishes } from '../../kubernetes/install/platform.ts';
import { defineCommand, wholeNumber } from '../define.ts';
import type { Shell } from '../shell.ts';
import { printResult } from '../ui/report.ts';
import { printable } from '../ui/terminal.ts';
import { type ClusterFlags, withCluster, withClusterOptions } from '../clusters/access.ts';

interface InstallFlags extends ClusterFlags {
  readonly dryRun?: boolean;
  readonly print?: boolean;
  readonly force?: boolean;
  readonly image?: string;
  readonly operators?: number;
}

export function clusterInstallCommand(shell: Shell): Command {
  const command = defineCommand(
    'install',
    'Apply the platform: definitions, rights, RuntimeClass, operator.',
    [
      ['mayfly cluster install --dry-run', 'the cluster checks everything, and nothing changes'],
      ['mayfly cluster install --print | less', 'the objects themselves (YAML); asks no cluster'],
      ['mayfly cluster install --image registry.example.com/mayfly:0.1.0', 'with an image of your registry'],
    ],
  );
  return withClusterOptions(command)
    .option('--dry-run', 'let the API server check every object and tell what would become of it')
    .option('--print', 'print the objects as YAML instead of applying them')
    .option('--force', 'take over fields that somebody else has set otherwise')
    .option('--image <reference>', 'image of the operator, and of gateways that name none')
    .option('--operators <number>', 'how many run; one of them acts', wholeNumber(1, 10))
    .action((flags: InstallFlags) => run(shell, flags));
}

async function run(shell: Shell, flags: InstallFlags): Promise<void> {
  const { platformObjects } = await import('../../kubernetes/install/platform.ts');
  const wishes: Wishes = { image: flags.image ?? null, operators: flags.operators ?? null };
  const objects = platformObjects(wishes);
  if (flags.print === true) {
    const { stringify } = await import('yaml');
    return printResult(shell.terminal, { apiVersion: 'v1', kind: 'List', items: objects }, ({ items }) =>
      items.map((object) => stringify(object, { aliasDuplicateObjects: false })).join('---\n'),
    );
  }
  const { install } = await import('../../kubernetes/install/install.ts');
  const dryRun = flags.dryRun === true;
  const done: Installed[] = [];
  const { terminal } = shell;
  await withCluster(shell, flags, async (cluster) => {
    for await (const one of install(cluster, objects, { dryRun, force: flags.force === true })) {
      done.push(one);
      if (!terminal.json) terminal.out.write(lineOf(one, dryRun));
    }
  });
  if (terminal.json) return printResult(terminal, { dry_run: dryRun, objects: done }, () => '');
  const news = done.filter(({ outcome }) => outcome !== 'unchanged').length;
  terminal.out.write(
    dryRun
      ? `${news} of ${done.length} objects would change. Nothing was changed.\n`
      : `${news} of ${done.length} objects changed. See \`mayfly cluster status\`.\n`,
  );
}

function lineOf({ kind, namespace, name, outcome }: Installed, dryRun: boolean): string {
  const place = namespace === null ? '' : ` in ${namespace}`;
  const would = dryRun && outcome !== 'unchanged' ? 'would be ' : '';
  return `${printable(`${kind} ${name}${place}`)}: ${would}${outcome}\n`;
}
