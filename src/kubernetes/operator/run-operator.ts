/** The operator as a process: with metrics and health beside it. */
import { MetricsServer } from '../../observability/metrics-server.ts';
import { operate, type OperateOptions } from './operate.ts';
import { OperatorMetrics } from './operator-metrics.ts';

export interface OperatorOptions extends Omit<OperateOptions, 'metrics'> {
  /** Where /metrics and /health are. */
  readonly listen: { readonly host: string; readonly port: number };
}

export interface RunningOperator {
  /** Of /metrics and /health. */
  readonly port: number;
  /** Resolves when `signal` was aborted and all work is done. */
  readonly ended: Promise<void>;
}

/** Throws MayflyError when the port cannot be had. */
export async function runOperator(options: OperatorOptions, signal: AbortSignal): Promise<RunningOperator> {
  const metrics = new OperatorMetrics();
  const server = await MetricsServer.start({
    ...options.listen,
    render: (format) => metrics.render(format),
    isHealthy: () => true,
  });
  const run = async () => {
    try {
      await operate({ ...options, metrics }, signal);
    } finally {
      await server[Symbol.asyncDispose]();
    }
  };
  return { port: server.port, ended: run() };
}
