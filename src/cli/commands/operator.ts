import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type Command, Option } from 'commander';
import {
  DEMAND_PORT,
  demandAddress,
  PLATFORM_NAMESPACE,
  SCALER_PORT,
  scalerAddress,
} from '../../kubernetes/resources/names.ts';
import { VERSION } from '../../model/version.ts';
import { type ClusterFlags, withClusterOptions } from '../clusters/access.ts';
import { defineCommand, wholeNumber } from '../define.ts';
import { onSignals } from '../serving/signals.ts';
import type { Shell } from '../shell.ts';

interface OperatorFlags extends ClusterFlags {
  readonly namespace?: string;
  readonly leaseNamespace?: string;
  readonly gatewayImage: string;
  readonly host: string;
  readonly port: number;
  readonly demandPort: number;
  readonly scalerPort: number;
  readonly scalerAddress?: string;
  readonly demandAddress?: string;
  readonly demandReporters?: string;
  readonly logLevel: (typeof LEVELS)[number];
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export function operatorCommand(shell: Shell): Command {
  const command = defineCommand(
    'operator',
    'Keep the Functions of a Kubernetes cluster as they are wished.',
    [
      ['mayfly operator', 'in a pod, or with the current context of kubectl'],
      ['mayfly operator --namespace shop --log-level debug', 'for one namespace only'],
    ],
  );
  return withClusterOptions(command)
    .option('--namespace <name>', 'look at the Functions of this namespace only')
    .option(
      '--lease-namespace <name>',
      'where operators agree on who acts (default: POD_NAMESPACE, mayfly-system)',
    )
    .option(
      '--gateway-image <image>',
      'image of the pods of a MayflyGateway that names none',
      `mayfly:${VERSION}`,
    )
    .option('--host <host>', 'address of /metrics and /health', '0.0.0.0')
    .option('-p, --port <port>', 'their port; 0 takes a free one', wholeNumber(0, 65_535), 9092)
    .option('--demand-port <port>', 'port that gateways report to', wholeNumber(0, 65_535), DEMAND_PORT)
    .option('--scaler-port <port>', 'port that KEDA asks', wholeNumber(0, 65_535), SCALER_PORT)
    .option(
      '--scaler-address <host:port>',
      'how KEDA reaches it (default: mayfly-scaler in the namespace of POD_NAMESPACE, port 9094)',
    )
    .option(
      '--demand-address <url>',
      'where the pods of a MayflyGateway report to (default: mayfly-demand in the namespace of POD_NAMESPACE, port 9093)',
    )
    .option(
      '--demand-reporters <list>',
      'service accounts, NAMESPACE/NAME with commas between, whose gateways may report for every namespace (default: each for its own)',
    )
    .addOption(new Option('--log-level <level>', 'least important line').choices(LEVELS).default('info'))
    .action((flags: OperatorFlags) => run(shell, flags));
}

async function run({ terminal }: Shell, flags: OperatorFlags): Promise<void> {
  const { findAccess } = await import('../../kubernetes/cluster/kubeconfig.ts');
  const { ClusterClient } = await import('../../kubernetes/cluster/client.ts');
  const { runOperator } = await import('../../kubernetes/operator/run-operator.ts');
  const { PodAsker } = await import('../../kubernetes/operator/ask-pod.ts');
  const { regoCompiler } = await import('../rego-compiler.ts');
  const { realTime } = await import('../../kubernetes/operator/time.ts');
  const { createLog } = await import('../../observability/log.ts');
  const { kubeconfig, context, namespace, host, port } = flags;
  const access = findAccess({ env: terminal.env, file: kubeconfig, context });
  const log = createLog({ level: flags.logLevel, format: 'json', output: 'stdout' });
  const home = terminal.env['POD_NAMESPACE'] ?? PLATFORM_NAMESPACE;
  const leaseNamespace = flags.leaseNamespace ?? home;
  await using pods = new PodAsker();
  await using cluster = new ClusterClient(access, namespace ?? null);
  const end = new AbortController();
  const signals = onSignals({ onEnd: () => end.abort(), onHangup: () => log.reopen() });
  const operator = await runOperator(
    {
      cluster,
      time: realTime,
      log: log.logger,
      // A name of its own: two operators of two namespaces do not wait for each other.
      lease: {
        namespace: leaseNamespace,
        name: namespace === undefined ? 'mayfly-operator' : `mayfly-operator-${namespace}`,
        identity: `${hostname()}_${randomUUID()}`,
      },
      listen: { host, port },
      demand: { host, port: flags.demandPort, everywhere: flags.demandReporters?.split(',') ?? [] },
      scaler: { host, port: flags.scalerPort },
      rego: regoCompiler,
      askPod: pods.ask,
      askCounts: pods.askCounts,
      gatewayImage: flags.gatewayImage,
      scalerAddress: flags.scalerAddress ?? scalerAddress(home),
      demandAddress: flags.demandAddress ?? demandAddress(home),
    },
    end.signal,
  );
  const ports = { metrics: operator.port, demand: operator.demandPort, scaler: operator.scalerPort };
  log.logger.info({ server: access.server, ...ports }, 'operator started');
  await operator.ended;
  signals[Symbol.dispose]();
  log.logger.info('ended');
  log.flush();
}
