/** What a gateway makes of a Function that names it. Pure. */
import type { PlannedFunction } from '../isolate/plan.ts';
import { isSettled, type Serving } from '../isolate/serving.ts';
import type { Finding, FunctionStatus } from '../resources/status.ts';
import type { KubeObject } from '../cluster/objects.ts';
import { assess, HEALTHY, type Obstacle } from './function-status.ts';

/** Its part of the gateway's plan; why there is none; null: the gateway has not looked at this Function yet. */
export type Place =
  | {
      readonly planned: PlannedFunction;
      readonly serving: Serving;
      /** Hash of the gateway's configuration. */
      readonly configuration: string;
    }
  | Obstacle
  | null;

export type Standing =
  | Obstacle
  | {
      readonly serving: Serving;
      /** Hash of what all pods served of it last; undefined: nothing yet. */
      readonly served: string | undefined;
      /** The same, but undefined while there are no pods. */
      readonly lasting: string | undefined;
      /** That is what they should serve. */
      readonly isServed: boolean;
      /** Hash of the gateway's configuration, and the image that gets a share in it. */
      readonly configuration: string;
      readonly candidate: string | null;
    };

/** Null: what is known is not of this Function as it is now. */
export function standing(object: KubeObject, place: Place): Standing | null {
  if (place === null || 'reason' in place) return place;
  const { planned, serving, configuration } = place;
  const { uid, generation } = object.metadata;
  if (planned.uid !== uid || planned.generation !== generation) return null;
  const { outcome } = planned;
  if ('reason' in outcome) return outcome;
  const { served: before } = (object['status'] ?? {}) as FunctionStatus;
  // Pods that come later begin with a configuration that has it: what all served once, they serve until it changes.
  const lasting = serving.pods === 0 ? undefined : before;
  const served = isSettled(serving) ? outcome.hash : lasting;
  const { hash, candidate } = outcome;
  return { serving, served, lasting, isServed: served === hash, configuration, candidate };
}

/** What there is to say of a Function whose requests the gateway answers. */
export function findingsOf(gateway: string, standing: Standing): Finding[] {
  if ('reason' in standing) return assess(undefined, standing);
  const { serving, isServed } = standing;
  if (serving.pods === 0) {
    const why = { reason: 'NoPods', message: `Gateway ${gateway} has no pod that answers` };
    return [
      { type: 'Ready', status: 'False', ...why },
      { type: 'Progressing', status: 'True', ...why },
      HEALTHY,
    ];
  }
  if (isServed) {
    const message = `All pods of gateway ${gateway} serve it`;
    return [
      { type: 'Ready', status: 'True', reason: 'Answering', message },
      { type: 'Progressing', status: 'False', reason: 'Settled', message },
      HEALTHY,
    ];
  }
  if (serving.refusing !== null) {
    const message = `Pod ${serving.refusing} of gateway ${gateway} cannot use the configuration. Its log says why.`;
    const why = { reason: 'ConfigurationRefused', message };
    return [
      { type: 'Ready', status: 'False', ...why },
      { type: 'Progressing', status: 'False', ...why },
      { type: 'Degraded', status: 'True', ...why },
    ];
  }
  const message = `Not all pods of gateway ${gateway} serve it yet`;
  return [
    { type: 'Ready', status: 'False', reason: 'RollingOut', message },
    { type: 'Progressing', status: 'True', reason: 'RollingOut', message },
    HEALTHY,
  ];
}

/** What pods of its own and the gateway before them make together: it is ready when the pods are. */
export function withGateway(own: readonly Finding[], gateway: string, standing: Standing): Finding[] {
  const before = findingsOf(gateway, standing);
  return own.map((finding) => {
    const other = before.find(({ type }) => type === finding.type);
    const counts = finding.type !== 'Ready' && finding.status === 'False' && other?.status === 'True';
    return counts ? other : finding;
  });
}
