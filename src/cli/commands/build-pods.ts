import type { BuiltPod } from '../../pods/pod.ts';
import type { Shell } from '../shell.ts';
import { formatBytes } from '../ui/bytes.ts';
import { printResult } from '../ui/report.ts';
import { startSpinner } from '../ui/spinner.ts';
import { formatTable, type Column } from '../ui/table.ts';
import { paintFor } from '../ui/terminal.ts';

/** `mayfly build --target wasmedge`. */
export async function buildPods(
  { terminal }: Shell,
  path: string,
  { out, aot }: { readonly out: string | undefined; readonly aot: boolean },
): Promise<void> {
  const { planPods, refuseSeveral } = await import('../../pods/plan.ts');
  const { buildPod } = await import('../../pods/pod.ts');
  const { findWasmedge } = await import('../../pods/ahead.ts');
  const plans = planPods(path, terminal.env);
  if (out !== undefined) refuseSeveral(plans, path);
  const wasmedge = aot ? findWasmedge(terminal.env) : undefined;
  const built: BuiltPod[] = [];
  for (const plan of plans) {
    const spinner = startSpinner(terminal.err, paintFor(terminal.err, terminal.env), `building ${plan.name}`);
    try {
      built.push(await buildPod(plan, { out, wasmedge }));
    } finally {
      spinner.stop();
    }
  }
  printResult(terminal, { built }, (_, paint) => {
    const warnings = built.flatMap((pod) => pod.warnings);
    const lines = warnings.map((text) => `${paint('yellow', 'warning')} ${text}\n`);
    return `${formatTable(columns, built, paint)}${lines.join('')}`;
  });
}

const columns: Column<BuiltPod>[] = [
  { title: 'pod', cell: ({ name }) => name },
  { title: 'kind', cell: ({ kind }) => kind },
  { title: 'size', cell: ({ bytes }) => formatBytes(bytes) },
  { title: 'digest', cell: ({ digest }) => digest },
  { title: 'module', cell: ({ path }) => path },
];
