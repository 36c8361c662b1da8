/** Commands that speak to a cluster: their options, and a client that is closed after use. */
import type { Command } from 'commander';
import type { ClusterClient } from '../../kubernetes/cluster/client.ts';
import type { Shell } from '../shell.ts';

/** How the cluster is reached. */
export interface ClusterFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
}

export function withClusterOptions(command: Command): Command {
  return command
    .option(
      '--kubeconfig <file>',
      'how the cluster is reached (default: KUBECONFIG, the pod, ~/.kube/config)',
    )
    .option('--context <name>', 'a context of the kubeconfig instead of its current one');
}

/** `use` with a client of the cluster; what the API refuses becomes an error that says which API. */
export async function withCluster<T>(
  { terminal }: Shell,
  { kubeconfig, context }: ClusterFlags,
  use: (cluster: ClusterClient, server: string) => Promise<T>,
): Promise<T> {
  const { findAccess } = await import('../../kubernetes/cluster/kubeconfig.ts');
  const { ClusterClient } = await import('../../kubernetes/cluster/client.ts');
  const { ApiError } = await import('../../kubernetes/cluster/cluster.ts');
  const { INSTALLER } = await import('../../kubernetes/install/install.ts');
  const { MayflyError } = await import('../../model/errors.ts');
  const access = findAccess({ env: terminal.env, file: kubeconfig, context });
  await using cluster = new ClusterClient(access, null, INSTALLER);
  try {
    return await use(cluster, access.server);
  } catch (cause) {
    if (!(cause instanceof ApiError)) throw cause;
    throw new MayflyError('The cluster did not answer as asked', {
      where: access.server,
      fix: cause.message,
      code: 'no-cluster',
      cause,
    });
  }
}
