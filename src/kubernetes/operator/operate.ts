/** The operator without a process around it: it waits to lead, and leads. */
import { EventRecorder } from './event-recorder.ts';
import { type ControllerOptions, runController } from './controller.ts';
import { runLeadership } from './leader.ts';
import type { LeasePlace } from './lease.ts';
import type { DemandTable } from '../zero/demand-table.ts';
import { runZeroScaler } from '../zero/zero-scaler.ts';

export interface OperateOptions extends Omit<ControllerOptions, 'events' | 'onSynced'> {
  readonly lease: LeasePlace;
  /** What gateways say of the requests that they have; without it nothing is scaled from or to zero. */
  readonly demand?: DemandTable | undefined;
}

/** Until `signal`; work under way is finished, and the lease is given back. */
export async function operate(options: OperateOptions, signal: AbortSignal): Promise<void> {
  const { cluster, time, log, metrics, lease, demand } = options;
  const events = new EventRecorder({
    cluster,
    time,
    identity: lease.identity,
    onFailure: (error) => log.debug({ error: (error as Error).message }, 'an event was not taken'),
  });
  const onSynced = () => log.info('all functions are known');
  await runLeadership(
    {
      cluster,
      time,
      place: lease,
      lead: async (leading) => {
        const zero =
          demand === undefined ? undefined : runZeroScaler({ cluster, time, log, demand }, leading);
        await runController({ ...options, events, onSynced }, leading);
        await zero;
      },
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
