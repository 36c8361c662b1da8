/** The pods of a new image beside those of the old one, behind the same Service. */
import type { KubeObject } from '../cluster/objects.ts';
import type { PodSpec } from '../resources/function.ts';
import { LABELS } from '../resources/names.ts';
import { ownedMetadata, type Owner, podLabels } from '../resources/owned.ts';
import { deployment } from '../wasmedge/deployment.ts';
import type { CanaryPods } from './canary-pods.ts';

/** How long a pod must have been ready at least before it counts, seconds: one that crashes again and again never is. */
const MOST_READY_SECONDS = 60;

export function canaryName(name: string): string {
  return `${name}-canary`;
}

export function canaryDeployment(
  owner: Owner,
  spec: PodSpec,
  { image, pods, intervalMs }: { readonly image: string; readonly pods: number; readonly intervalMs: number },
): KubeObject {
  const base = deployment(owner, { ...spec, image }, pods);
  const { template, ...rest } = base['spec'] as {
    template: { metadata: { labels: object } };
  } & Record<string, unknown>;
  const labels = { ...podLabels(owner), [LABELS.track]: 'canary' };
  const { metadata } = template;
  return {
    ...base,
    metadata: ownedMetadata(owner, canaryName(owner.name)),
    spec: {
      ...rest,
      minReadySeconds: Math.min(MOST_READY_SECONDS, Math.ceil(intervalMs / 1000)),
      selector: { matchLabels: labels },
      template: { ...template, metadata: { ...metadata, labels: { ...metadata.labels, ...labels } } },
    },
  };
}

interface DeploymentStatus {
  readonly observedGeneration?: number;
  readonly updatedReplicas?: number;
  readonly availableReplicas?: number;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly message?: string;
    readonly lastTransitionTime?: string;
  }[];
}

/** What a Deployment says of its pods; nothing as long as its controller has not seen what it should be. */
export function canaryPods(found: KubeObject | undefined, image: string, wanted: number): CanaryPods {
  const waiting = { wanted, available: 0, stuck: null, unavailableSince: null };
  if (found === undefined || imageOf(found) !== image) return waiting;
  const status = (found['status'] ?? {}) as DeploymentStatus;
  if ((status.observedGeneration ?? 0) < (found.metadata.generation ?? 1)) return waiting;
  const condition = (type: string) =>
    status.conditions?.find((item) => item.type === type && item.status === 'False');
  const { availableReplicas = 0, updatedReplicas = 0 } = status;
  const unavailable = Date.parse(condition('Available')?.lastTransitionTime ?? '');
  const stuck = condition('Progressing');
  return {
    wanted,
    available: Math.min(availableReplicas, updatedReplicas),
    stuck: stuck === undefined ? null : (stuck.message ?? 'The pods of the new image do not get ready'),
    unavailableSince: Number.isNaN(unavailable) ? null : unavailable,
  };
}

/** Its pods that answer, of whichever image. */
export function availableIn(found: KubeObject | undefined): number {
  return ((found?.['status'] ?? {}) as DeploymentStatus).availableReplicas ?? 0;
}

export function imageOf({ spec }: KubeObject): string | undefined {
  const { template } = (spec ?? {}) as {
    template?: { spec?: { containers?: readonly { image?: string }[] } };
  };
  return template?.spec?.containers?.[0]?.image;
}
