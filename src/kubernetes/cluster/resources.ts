/** The kinds that the operator reads or writes. */
import type { KubeObject, Resource } from './objects.ts';
import { API_VERSION } from '../resources/names.ts';

export const FUNCTIONS: Resource = { apiVersion: API_VERSION, kind: 'Function', plural: 'functions' };
export const GATEWAYS: Resource = {
  apiVersion: API_VERSION,
  kind: 'MayflyGateway',
  plural: 'mayflygateways',
};
export const POLICIES: Resource = { apiVersion: API_VERSION, kind: 'Policy', plural: 'policies' };
export const RATE_LIMITS: Resource = { apiVersion: API_VERSION, kind: 'RateLimit', plural: 'ratelimits' };
export const PODS: Resource = { apiVersion: 'v1', kind: 'Pod', plural: 'pods' };
export const CONFIG_MAPS: Resource = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps' };
const SERVICE_ACCOUNTS: Resource = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
};
const BUDGETS: Resource = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
};
export const DEPLOYMENTS: Resource = { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments' };
export const SERVICES: Resource = { apiVersion: 'v1', kind: 'Service', plural: 'services' };
const AUTOSCALERS: Resource = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
};
/** Of KEDA, which a cluster may lack. */
export const SCALED_OBJECTS: Resource = {
  apiVersion: 'keda.sh/v1alpha1',
  kind: 'ScaledObject',
  plural: 'scaledobjects',
};
/** Of the Gateway API, which a cluster may lack. */
export const HTTP_ROUTES: Resource = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  plural: 'httproutes',
};
export const LEASES: Resource = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases' };
export const EVENTS: Resource = { apiVersion: 'events.k8s.io/v1', kind: 'Event', plural: 'events' };

/** What belongs to a Function. */
export const OWNED = [DEPLOYMENTS, SERVICES, AUTOSCALERS, SCALED_OBJECTS, HTTP_ROUTES] as const;

/** What belongs to a MayflyGateway. */
export const OWNED_BY_GATEWAYS = [
  SERVICE_ACCOUNTS,
  CONFIG_MAPS,
  DEPLOYMENTS,
  SERVICES,
  AUTOSCALERS,
  BUDGETS,
  HTTP_ROUTES,
] as const;

/** What `mayfly cluster install` writes besides. */
const INSTALLED: readonly Resource[] = [
  { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', ofCluster: true },
  {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    plural: 'customresourcedefinitions',
    ofCluster: true,
  },
  { apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', plural: 'runtimeclasses', ofCluster: true },
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', plural: 'networkpolicies' },
  ...(['ClusterRole', 'ClusterRoleBinding'] as const).map((kind) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind,
    plural: `${kind.toLowerCase()}s`,
    ofCluster: true as const,
  })),
  ...(['Role', 'RoleBinding'] as const).map((kind) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind,
    plural: `${kind.toLowerCase()}s`,
  })),
];

export const TOKEN_REVIEWS: Resource = {
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenReview',
  plural: 'tokenreviews',
  ofCluster: true,
};

const KNOWN = [
  FUNCTIONS,
  GATEWAYS,
  POLICIES,
  RATE_LIMITS,
  PODS,
  ...OWNED,
  ...OWNED_BY_GATEWAYS,
  LEASES,
  EVENTS,
  TOKEN_REVIEWS,
  ...INSTALLED,
];

export function resourceOf({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): Resource {
  const found = KNOWN.find((resource) => resource.kind === kind && resource.apiVersion === apiVersion);
  if (found === undefined) throw new Error(`${apiVersion} ${kind} is no kind that we know`);
  return found;
}
