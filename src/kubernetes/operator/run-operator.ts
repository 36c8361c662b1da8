/** The operator as a process: with metrics and health beside it. */
import { MetricsServer } from '../../observability/metrics-server.ts';
import { DemandTable } from '../zero/demand-table.ts';
import { startDemandServer } from '../zero/demand-server.ts';
import { operate, type OperateOptions } from './operate.ts';
import { OperatorMetrics } from './operator-metrics.ts';

export interface OperatorOptions extends Omit<OperateOptions, 'metrics' | 'demand'> {
  /** Where /metrics and /health are. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Where gateways report. */
  readonly demand: { readonly host: string; readonly port: number };
}

export interface RunningOperator {
  /** Of /metrics and /health. */
  readonly port: number;
  /** Where gateways report. */
  readonly demandPort: number;
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
  const demand = new DemandTable();
  const reports = await startDemandServer(options.demand, demand, options.time.now).catch(
    async (error: unknown) => {
      await server[Symbol.asyncDispose]();
      throw error;
    },
  );
  const run = async () => {
    try {
      await operate({ ...options, metrics, demand }, signal);
    } finally {
      await reports[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    }
  };
  return { port: server.port, demandPort: reports.port, ended: run() };
}
