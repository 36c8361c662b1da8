/** What the operator counts, for Prometheus. */
import type { MetricFormat } from '../../observability/open-metrics.ts';

interface Family {
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly label?: string;
}

const OPERATOR_FAMILIES = {
  mayfly_operator_leader: { type: 'gauge', help: '1 while this process acts; another one waits.' },
  mayfly_operator_functions: { type: 'gauge', help: 'Functions in the cluster.' },
  mayfly_operator_gateways: { type: 'gauge', help: 'MayflyGateways in the cluster.' },
  mayfly_operator_queue_length: { type: 'gauge', help: 'Objects that wait for a look or are looked at.' },
  mayfly_operator_reconciles: { type: 'counter', help: 'Looks at an object.', label: 'result' },
  mayfly_operator_reconcile_seconds: { type: 'counter', help: 'Time spent on looks at objects.' },
  mayfly_operator_writes: { type: 'counter', help: 'Writes to the API server.', label: 'verb' },
  mayfly_operator_watch_failures: { type: 'counter', help: 'Lists and watches that failed.', label: 'kind' },
  mayfly_operator_lease_failures: { type: 'counter', help: 'Times that the lease could not be looked at.' },
} as const satisfies Record<string, Family>;

type Name = keyof typeof OPERATOR_FAMILIES;

export class OperatorMetrics {
  /** Family and value of its label → number. */
  readonly #values = new Map<Name, Map<string, number>>();

  add(name: Name, label = '', amount = 1): void {
    const values = this.#of(name);
    values.set(label, (values.get(label) ?? 0) + amount);
  }

  set(name: Name, value: number): void {
    this.#of(name).set('', value);
  }

  get(name: Name, label = ''): number {
    return this.#values.get(name)?.get(label) ?? 0;
  }

  #of(name: Name): Map<string, number> {
    let values = this.#values.get(name);
    if (values === undefined) this.#values.set(name, (values = new Map<string, number>()));
    return values;
  }

  render(format: MetricFormat): string {
    const lines: string[] = [];
    for (const [name, family] of Object.entries(OPERATOR_FAMILIES) as [Name, Family][]) {
      const sample = family.type === 'counter' ? `${name}_total` : name;
      const titled = format === 'openmetrics' ? name : sample;
      lines.push(`# TYPE ${titled} ${family.type}`, `# HELP ${titled} ${family.help}`);
      const values = this.#values.get(name) ?? (family.label === undefined ? new Map([['', 0]]) : []);
      for (const [label, value] of values) {
        lines.push(
          family.label === undefined
            ? `${sample} ${value}`
            : `${sample}{${family.label}="${label}"} ${value}`,
        );
      }
    }
    if (format === 'openmetrics') lines.push('# EOF');
    return `${lines.join('\n')}\n`;
  }
}
