import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

export const CHART = join(import.meta.dirname, '../../../deploy/chart');

/** The chart's objects as YAML, with its default values. */
export function renderChart(helm: string, namespace: string): string {
  const args = ['template', 'mayfly', CHART, '--namespace', namespace, '--kube-version', '1.30.4'];
  const { status, stdout, stderr } = spawnSync(helm, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}
