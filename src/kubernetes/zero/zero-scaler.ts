/** Sets `spec.replicas` of Functions with `idleAfter` to 1 when a request waits, and to 0 when none came for long enough. */
import type { Logger } from '../../observability/log.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { KubeObject } from '../cluster/objects.ts';
import { FUNCTIONS } from '../cluster/resources.ts';
import { Informer } from '../operator/informer.ts';
import type { Time } from '../operator/time.ts';
import { FUNCTION } from '../resources/kinds.ts';
import { parseSpec } from '../resources/parse.ts';
import { replicasFor } from './decide.ts';
import type { DemandTable } from './demand-table.ts';

const LOOK_EVERY_MS = 100;

export interface ZeroScalerOptions {
  readonly cluster: Cluster;
  readonly time: Time;
  readonly log: Logger;
  readonly demand: DemandTable;
}

/** Until `signal`. Like any autoscaler it writes the one number; the reconcile carries it on. */
export async function runZeroScaler(options: ZeroScalerOptions, signal: AbortSignal): Promise<void> {
  const { cluster, time, log, demand } = options;
  const informer = new Informer({
    cluster,
    time,
    selection: { resource: FUNCTIONS, labels: {} },
    onChange: () => undefined,
    onFailure: (error) => log.debug({ error: (error as Error).message }, 'a watch ended'),
  });
  const watching = informer.run(signal);
  while (!signal.aborted) {
    for (const name of demand.functions()) {
      const object = informer.get(name);
      const replicas = object === undefined ? null : wanted(object, demand, time.now());
      if (object === undefined || replicas === null || signal.aborted) continue;
      try {
        // On the condition that nobody changed it meanwhile: else the next look decides anew.
        informer.learn(await cluster.replace(withReplicas(object, replicas)));
        log.info({ function: name, replicas }, replicas === 0 ? 'idle: no pods' : 'a request waits: a pod');
      } catch (error) {
        log.debug({ function: name, error: (error as Error).message }, 'could not scale');
      }
    }
    await time.sleep(LOOK_EVERY_MS, signal);
  }
  await watching;
}

function wanted(object: KubeObject, demand: DemandTable, now: number): number | null {
  if (object.metadata.deletionTimestamp !== undefined) return null;
  const parsed = parseSpec(FUNCTION, object);
  if ('problem' in parsed) return null;
  const { namespace = 'default', name } = object.metadata;
  return replicasFor(parsed.spec, demand.of(`${namespace}/${name}`, now));
}

function withReplicas(object: KubeObject, replicas: number): KubeObject {
  return { ...object, spec: { ...(object['spec'] as object), replicas } };
}
