/** The operator without a process around it: it waits to lead, and leads. */
import type { Logger } from '../../observability/log.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { EventRecorder } from './event-recorder.ts';
import { runFunctionController } from './function-controller.ts';
import { runLeadership } from './leader.ts';
import type { LeasePlace } from './lease.ts';
import type { OperatorMetrics } from './operator-metrics.ts';
import type { Time } from './time.ts';

export interface OperateOptions {
  readonly cluster: Cluster;
  readonly time: Time;
  readonly log: Logger;
  readonly metrics: OperatorMetrics;
  readonly lease: LeasePlace;
}

/** Until `signal`; work under way is finished, and the lease is given back. */
export async function operate(options: OperateOptions, signal: AbortSignal): Promise<void> {
  const { cluster, time, log, metrics, lease } = options;
  const events = new EventRecorder({
    cluster,
    time,
    identity: lease.identity,
    onFailure: (error) => log.debug({ error: (error as Error).message }, 'an event was not taken'),
  });
  const onSynced = () => log.info('all functions are known');
  const controller = { cluster, time, log, metrics, events, onSynced };
  await runLeadership(
    {
      cluster,
      time,
      place: lease,
      lead: (leading) => runFunctionController(controller, leading),
      onChange: (leading) => {
        metrics.set('mayfly_operator_leader', leading ? 1 : 0);
        log.info({ identity: lease.identity }, leading ? 'leads' : 'leads no more');
      },
      onFailure: (error) => {
        metrics.add('mayfly_operator_lease_failures');
        log.warn({ error: (error as Error).message }, 'the lease could not be looked at');
      },
    },
    signal,
  );
}
