/**
 * What sets the number of pods. Autoscalers speak to the Function (its scale subresource), not to its Deployment:
 * the number has one place where it is written, and one writer for each place.
 */
import type { KubeObject } from '../cluster/objects.ts';
import type { FunctionSpec, Scaling } from '../resources/function.ts';
import { API_VERSION, scalerAddress } from '../resources/names.ts';
import { ownedMetadata, type Owner } from '../resources/owned.ts';

/** Up at once, by the larger of twice as many and 100 pods every 30 s; down by half a minute after the load fell. */
const BEHAVIOR = {
  scaleUp: {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Percent', value: 100, periodSeconds: 30 },
      { type: 'Pods', value: 100, periodSeconds: 30 },
    ],
  },
  scaleDown: {
    stabilizationWindowSeconds: 60,
    policies: [{ type: 'Percent', value: 50, periodSeconds: 60 }],
  },
};

/** An HPA, a KEDA ScaledObject, or null where the number of pods does not follow the load. `scaler`: host:port that KEDA asks. */
export function autoscaler(
  owner: Owner,
  { scaling }: FunctionSpec,
  scaler: string = scalerAddress(),
): KubeObject | null {
  if (scaling === undefined) return null;
  const { prometheus, openRequests } = scaling;
  if (prometheus !== undefined) return scaledObject(owner, scaling, byQuery(prometheus));
  if (openRequests !== undefined) return scaledObject(owner, scaling, byOpenRequests(openRequests, scaler));
  return horizontalPodAutoscaler(owner, scaling);
}

function horizontalPodAutoscaler(owner: Owner, scaling: Scaling): KubeObject {
  const resource = (name: 'cpu' | 'memory') => ({
    type: 'Resource',
    resource: { name, target: { type: 'Utilization', averageUtilization: scaling[name] } },
  });
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: ownedMetadata(owner),
    spec: {
      scaleTargetRef: target(owner),
      // It does nothing while there are no pods; who makes the first one is not it.
      minReplicas: Math.max(1, scaling.minReplicas),
      maxReplicas: scaling.maxReplicas,
      metrics: [resource('cpu'), resource('memory')],
      behavior: BEHAVIOR,
    },
  };
}

/** https://keda.sh/docs/2.14/reference/scaledobject-spec/ */
function scaledObject(owner: Owner, { minReplicas, maxReplicas }: Scaling, trigger: object): KubeObject {
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: ownedMetadata(owner),
    spec: {
      scaleTargetRef: target(owner),
      minReplicaCount: minReplicas,
      maxReplicaCount: maxReplicas,
      pollingInterval: 5,
      cooldownPeriod: 60,
      advanced: { horizontalPodAutoscalerConfig: { behavior: BEHAVIOR } },
      triggers: [trigger],
    },
  };
}

function byQuery({ serverAddress, query, threshold }: NonNullable<Scaling['prometheus']>): object {
  return { type: 'prometheus', metadata: { serverAddress, query, threshold: String(threshold) } };
}

/** KEDA asks the operator (scaler/scaler.ts), and is told at once when a first request comes. */
function byOpenRequests(target: number, scaler: string): object {
  return { type: 'external-push', metadata: { scalerAddress: scaler, target: String(target) } };
}

function target({ name, uid }: Owner): object {
  return uid === null
    ? { apiVersion: 'apps/v1', kind: 'Deployment', name }
    : { apiVersion: API_VERSION, kind: 'Function', name };
}
