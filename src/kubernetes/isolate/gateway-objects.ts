/** Everything that belongs to a gateway, as it should be. Pure. */
import type { KubeObject } from '../cluster/objects.ts';
import { httpRoute } from '../edge/http-route.ts';
import type { GatewaySpec } from '../resources/gateway.ts';
import { API_VERSION } from '../resources/names.ts';
import { ownedMetadata, type Owner, podLabels } from '../resources/owned.ts';
import type { PlacedFile } from './files.ts';
import type { GatewayPlan } from './plan.ts';
import { CONFIG_FILE, filesName } from './places.ts';
import { podTemplate } from './pod-template.ts';

/** After it, a rollout that does not move is called stuck. */
const PROGRESS_SECONDS = 360;

/** A pod of a gateway carries thousands of instances: twice as many each half minute is soon enough, and few go at a time. */
const BEHAVIOR = {
  scaleUp: {
    stabilizationWindowSeconds: 0,
    policies: [{ type: 'Percent', value: 100, periodSeconds: 30 }],
  },
  scaleDown: {
    stabilizationWindowSeconds: 300,
    policies: [{ type: 'Percent', value: 25, periodSeconds: 60 }],
  },
};

export interface GatewayWish {
  readonly owner: Owner;
  readonly spec: GatewaySpec;
  readonly plan: GatewayPlan;
  readonly image: string;
  readonly pods: number;
}

/** In the order in which they are made: what others mount comes first. */
export function gatewayObjects(wish: GatewayWish): KubeObject[] {
  const { owner, spec, plan } = wish;
  const { scaling } = spec;
  return [
    { ...base('v1', 'ServiceAccount', owner), automountServiceAccountToken: false },
    ...plan.files.flatMap((files, index) => (files.length === 0 ? [] : [filesMap(owner, index, files)])),
    { ...base('v1', 'ConfigMap', owner), data: { [CONFIG_FILE]: plan.configuration } },
    deployment(wish),
    service(owner, spec),
    ...(scaling === undefined ? [] : [autoscaler(owner, scaling)]),
    budget(owner),
    ...(spec.httpRoute === undefined ? [] : [httpRoute(owner, spec.httpRoute, spec.service.port)]),
  ];
}

function base(apiVersion: string, kind: string, owner: Owner, name?: string): KubeObject {
  return { apiVersion, kind, metadata: ownedMetadata(owner, name) };
}

function filesMap(owner: Owner, index: number, files: readonly PlacedFile[]): KubeObject {
  const data: [string, string][] = [];
  const binaryData: [string, string][] = [];
  for (const { name, content } of files) {
    if ('text' in content) data.push([name, content.text]);
    else binaryData.push([name, content.base64]);
  }
  return {
    ...base('v1', 'ConfigMap', owner, filesName(owner.name, index)),
    ...(data.length === 0 ? {} : { data: Object.fromEntries(data) }),
    ...(binaryData.length === 0 ? {} : { binaryData: Object.fromEntries(binaryData) }),
  };
}

function deployment({ owner, spec, plan, image, pods }: GatewayWish): KubeObject {
  return {
    ...base('apps/v1', 'Deployment', owner),
    spec: {
      replicas: pods,
      progressDeadlineSeconds: PROGRESS_SECONDS,
      selector: { matchLabels: podLabels(owner) },
      // A pod goes when another one answers in its place.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } },
      template: podTemplate({ owner, spec, image, secrets: plan.secrets, start: plan.start }),
    },
  };
}

function service(owner: Owner, { service: wanted, server }: GatewaySpec): KubeObject {
  const https = { name: 'https', port: 443, targetPort: 'https', protocol: 'TCP' };
  return {
    ...base('v1', 'Service', owner),
    spec: {
      type: wanted.type,
      selector: podLabels(owner),
      ports: [
        { name: 'http', port: wanted.port, targetPort: 'http', protocol: 'TCP' },
        ...(server.tls === undefined ? [] : [https]),
      ],
    },
  };
}

function autoscaler(owner: Owner, scaling: NonNullable<GatewaySpec['scaling']>): KubeObject {
  const target = { type: 'Utilization', averageUtilization: scaling.cpu };
  return {
    ...base('autoscaling/v2', 'HorizontalPodAutoscaler', owner),
    spec: {
      scaleTargetRef: { apiVersion: API_VERSION, kind: owner.kind, name: owner.name },
      minReplicas: scaling.minReplicas,
      maxReplicas: scaling.maxReplicas,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }],
      behavior: BEHAVIOR,
    },
  };
}

/** Nodes that are emptied take one pod at a time. */
function budget(owner: Owner): KubeObject {
  return {
    ...base('policy/v1', 'PodDisruptionBudget', owner),
    spec: {
      maxUnavailable: 1,
      selector: { matchLabels: podLabels(owner) },
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    },
  };
}
