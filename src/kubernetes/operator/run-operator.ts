/** The operator as a process: with metrics and health beside it. */
import { MetricsServer } from '../../observability/metrics-server.ts';
import { DemandTable } from '../zero/demand-table.ts';
import { startScaler } from '../scaler/scaler.ts';
import { startDemandServer } from '../zero/demand-server.ts';
import { Reporters, reviewWith } from '../zero/reporters.ts';
import { operate, type OperateOptions } from './operate.ts';
import { OperatorMetrics } from './operator-metrics.ts';

export interface OperatorOptions extends Omit<OperateOptions, 'metrics' | 'demand'> {
  /** Where /metrics and /health are. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Where gateways report. */
  readonly demand: {
    readonly host: string;
    readonly port: number;
    /** `NAMESPACE/NAME` of ServiceAccounts that may report for every namespace. */
    readonly everywhere: readonly string[];
  };
  /** Where KEDA asks. */
  readonly scaler: { readonly host: string; readonly port: number };
}

export interface RunningOperator {
  /** Of /metrics and /health. */
  readonly port: number;
  /** Where gateways report. */
  readonly demandPort: number;
  /** Where KEDA asks. */
  readonly scalerPort: number;
  /** Resolves when `signal` was aborted and all work is done. */
  readonly ended: Promise<void>;
}

/** Throws MayflyError when a port cannot be had. */
export async function runOperator(options: OperatorOptions, signal: AbortSignal): Promise<RunningOperator> {
  await using stack = new AsyncDisposableStack();
  const { now } = options.time;
  const metrics = new OperatorMetrics();
  const server = stack.use(
    await MetricsServer.start({
      ...options.listen,
      render: (format) => metrics.render(format),
      isHealthy: () => true,
    }),
  );
  const demand = new DemandTable();
  const reporters = new Reporters({
    review: reviewWith(options.cluster),
    now,
    everywhere: options.demand.everywhere,
    onProblem: (error) =>
      options.log.warn(
        { error: error.message },
        'reports of gateways cannot be verified and are refused: the operator must be allowed to create tokenreviews (authentication.k8s.io)',
      ),
  });
  const reports = stack.use(await startDemandServer(options.demand, demand, reporters, now));
  const scaler = stack.use(await startScaler(options.scaler, demand, now));
  const servers = stack.move();
  const run = async (): Promise<void> => {
    await using _ = servers;
    await operate({ ...options, metrics, demand }, signal);
  };
  return { port: server.port, demandPort: reports.port, scalerPort: scaler.port, ended: run() };
}
