import { families, type MetricFamily } from './definitions.ts';
import { requestShape, stageShape } from './histogram.ts';

/** The text of docs/reference/metrics.md; a test keeps the file equal to it. */
export function metricsReference(): string {
  return `# Metrics

Served on \`monitoring.metrics_port\` (9090) at \`/metrics\`, as OpenMetrics 1.0 when the scraper asks for it and in the
Prometheus text format otherwise. \`/health\` is there too. Counters never count backwards while the process lives: a
data-plane thread that is replaced goes on where the old one stopped. A removed function takes its series with it.

| Metric | Type | Labels | Meaning |
|---|---|---|---|
${Object.values(families).map(row).join('\n')}

Counters carry the suffix \`_total\`, info metrics \`_info\`, histograms \`_bucket\`, \`_count\` and \`_sum\`.
Buckets lie at powers of two and their midpoints: ${range(requestShape.bounds)} for functions, ${range(stageShape.bounds)} for stages.
`;
}

function row(family: MetricFamily): string {
  const labels = family.labels.map((label) => `\`${label}\``).join(', ');
  return `| \`${family.name}\` | ${family.type} | ${labels} | ${family.help} |`;
}

function range(bounds: readonly number[]): string {
  return `${bounds.length} from ${bounds[0]} s to ${bounds.at(-1)?.toPrecision(3)} s`;
}
