/** `mayfly operator` as a process, with the rights of its ServiceAccount and no others. */
import { type RunningProcess, startProcess } from '../../support/cli.ts';
import type { ControlPlane } from './control-plane.ts';
import type { Kubectl } from './kubectl.ts';

export async function startOperator(
  plane: ControlPlane,
  kubectl: Kubectl,
  /** `user`: names its kubeconfig. */
  { user = 'operator', flags = [] }: { readonly user?: string; readonly flags?: readonly string[] } = {},
): Promise<RunningProcess> {
  const token = await kubectl.run('create', 'token', 'mayfly-operator', '-n', 'mayfly-system');
  const file = plane.kubeconfigOf(user, token.trim());
  const loopback = ['--host', '127.0.0.1', '--port', '0', '--demand-port', '0', '--scaler-port', '0'];
  return startProcess(['operator', '--kubeconfig', file, ...loopback, ...flags]);
}
