import type { Command } from 'commander';
import { defineCommand } from '../define.ts';
import type { Shell } from '../shell.ts';
import { clusterInstallCommand } from './cluster-install.ts';
import { clusterStatusCommand } from './cluster-status.ts';

export function clusterCommand(shell: Shell): Command {
  return defineCommand('cluster', 'Bring Mayfly into a Kubernetes cluster, and see how it is there.', [
    ['mayfly cluster install --dry-run', 'what would be applied, and what of it is new'],
    ['mayfly cluster status', 'the platform, its operator, and every Function'],
  ])
    .addCommand(clusterInstallCommand(shell))
    .addCommand(clusterStatusCommand(shell));
}
