/** From none to one, and from some to none. What lies between is an autoscaler's. Pure. */
import type { FunctionSpec } from '../resources/function.ts';
import type { Demand } from './demand-table.ts';

/** How many pods there should be instead; null: as many as there are. */
export function replicasFor({ replicas, scaling }: FunctionSpec, { open, quietMs }: Demand): number | null {
  if (scaling === undefined || scaling.minReplicas > 0 || scaling.idleAfter === undefined) return null;
  if (replicas === 0) return open > 0 ? 1 : null;
  return quietMs !== null && quietMs >= scaling.idleAfter ? 0 : null;
}
