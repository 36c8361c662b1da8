/** How a cluster is, as far as it concerns Mayfly: what `mayfly cluster status` tells. */
import { type Cluster, isApiError } from '../cluster/cluster.ts';
import { hasCondition, type KubeObject, type Resource } from '../cluster/objects.ts';
import {
  DEPLOYMENTS,
  FUNCTIONS,
  HTTP_ROUTES,
  LEASES,
  resourceOf,
  SCALED_OBJECTS,
} from '../cluster/resources.ts';
import { hasDrifted } from '../reconcile/drift.ts';
import type { Condition } from '../resources/status.ts';
import { isOperator } from './platform.ts';

const NODES: Resource = { apiVersion: 'v1', kind: 'Node', plural: 'nodes', ofCluster: true };

/** What a cluster may have, and what of Mayfly needs it. */
const OPTIONAL: readonly (readonly [name: string, resource: Resource])[] = [
  ['KEDA', SCALED_OBJECTS],
  ['Gateway API', HTTP_ROUTES],
  [
    'Gatekeeper',
    { apiVersion: 'templates.gatekeeper.sh/v1', kind: 'ConstraintTemplate', plural: 'constrainttemplates' },
  ],
  [
    'Prometheus operator',
    { apiVersion: 'monitoring.coreos.com/v1', kind: 'ServiceMonitor', plural: 'servicemonitors' },
  ],
  ['metrics server', { apiVersion: 'metrics.k8s.io/v1beta1', kind: 'PodMetrics', plural: 'pods' }],
];

export interface PlatformObject {
  readonly kind: string;
  readonly name: string;
  /** `differs`: somebody changed it, or it is of another version of Mayfly. */
  readonly state: 'as shipped' | 'differs' | 'missing';
}

export interface FunctionState {
  readonly namespace: string;
  readonly name: string;
  readonly runtime: string;
  readonly ready: Condition['status'];
  readonly reason: string;
  readonly message: string;
  readonly pods: number;
}

export interface Survey {
  readonly platform: readonly PlatformObject[];
  readonly operator: {
    readonly wanted: number;
    readonly ready: number;
    /** Who acts, by its lease; null: nobody has held it yet, or it was given back. */
    readonly leader: string | null;
    readonly leaderSeenAt: string | null;
  };
  readonly nodes: { readonly all: number; readonly ready: number; readonly wasmedge: number };
  /** What else is there that Mayfly can use. */
  readonly optional: Readonly<Record<string, boolean>>;
  readonly functions: readonly FunctionState[];
}

/** `shipped`: what `mayfly cluster install` would bring. Throws ApiError. */
export async function survey(cluster: Cluster, shipped: readonly KubeObject[]): Promise<Survey> {
  const [found, nodes, functions, lease, optional] = await Promise.all([
    Promise.all(
      shipped.map((object) =>
        cluster.get(resourceOf(object), object.metadata.namespace ?? '', object.metadata.name),
      ),
    ),
    listed(cluster, NODES),
    listed(cluster, FUNCTIONS),
    leaseOf(cluster, shipped),
    Promise.all(OPTIONAL.map(async ([name, resource]) => [name, await cluster.serves(resource)] as const)),
  ]);
  return {
    platform: shipped.map((object, index) => platformObject(object, found[index] ?? null)),
    operator: operatorState(
      found.find((object) => object?.kind === DEPLOYMENTS.kind),
      lease,
    ),
    nodes: {
      all: nodes.length,
      ready: nodes.filter((node) => hasCondition(node, 'Ready')).length,
      wasmedge: nodes.filter(({ metadata }) => metadata.labels?.['mayfly.dev/wasmedge'] === 'true').length,
    },
    optional: Object.fromEntries(optional),
    functions: functions.map(functionState).toSorted((a, b) => order(a) - order(b)),
  };
}

/** What keeps the platform from working; empty: nothing does. One sentence each. */
export function troubles({ platform, operator }: Survey): string[] {
  const missing = platform.filter(({ state }) => state === 'missing');
  const names = missing.map(({ kind, name }) => `${kind} ${name}`).join(', ');
  return [
    ...(missing.length === 0 ? [] : [`Missing: ${names}. Bring it with \`mayfly cluster install\`.`]),
    ...(operator.ready > 0 || missing.some(({ kind }) => kind === DEPLOYMENTS.kind)
      ? []
      : ['No operator is ready: see `kubectl -n mayfly-system describe pods`.']),
  ];
}

async function listed(cluster: Cluster, resource: Resource): Promise<readonly KubeObject[]> {
  try {
    return (await cluster.list({ resource, labels: {} })).items;
  } catch (error) {
    // The definition is not there yet.
    if (isApiError(error, 404)) return [];
    throw error;
  }
}

async function leaseOf(cluster: Cluster, shipped: readonly KubeObject[]): Promise<KubeObject | null> {
  const operator = shipped.find(isOperator)?.metadata;
  return operator === undefined ? null : await cluster.get(LEASES, operator.namespace ?? '', operator.name);
}

function platformObject(shipped: KubeObject, found: KubeObject | null): PlatformObject {
  const { kind, metadata } = shipped;
  const state = found === null ? 'missing' : hasDrifted(shipped, found) ? 'differs' : 'as shipped';
  return { kind, name: metadata.name, state };
}

function operatorState(
  deployment: KubeObject | null | undefined,
  lease: KubeObject | null,
): Survey['operator'] {
  const { replicas = 0 } = (deployment?.['spec'] ?? {}) as { replicas?: number };
  const { readyReplicas = 0 } = (deployment?.['status'] ?? {}) as { readyReplicas?: number };
  const { holderIdentity = '', renewTime = null } = (lease?.['spec'] ?? {}) as {
    holderIdentity?: string;
    renewTime?: string | null;
  };
  const leader = holderIdentity === '' ? null : holderIdentity;
  return { wanted: replicas, ready: readyReplicas, leader, leaderSeenAt: leader === null ? null : renewTime };
}

function functionState({ metadata, ...object }: KubeObject): FunctionState {
  const { runtime = '' } = (object['spec'] ?? {}) as { runtime?: string };
  const { conditions = [], readyReplicas = 0 } = (object['status'] ?? {}) as {
    conditions?: readonly Condition[];
    readyReplicas?: number;
  };
  const ready = conditions.find(({ type }) => type === 'Ready');
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    runtime,
    ready: ready?.status ?? 'Unknown',
    reason: ready?.reason ?? 'NotSeenYet',
    message: ready?.message ?? 'No operator has looked at it yet',
    pods: readyReplicas,
  };
}

/** What needs attention stands first. */
function order({ ready }: FunctionState): number {
  return ready === 'True' ? 1 : 0;
}
