/** What the operator calls things. A name that is stored in a cluster is never changed. */
export const GROUP = 'mayfly.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Where the platform is installed as it is shipped. */
export const PLATFORM_NAMESPACE = 'mayfly-system';

export const DEMAND_PORT = 9093;
export const SCALER_PORT = 9094;

/** Where gateways tell the operators of a namespace about requests. */
export function demandAddress(namespace: string = PLATFORM_NAMESPACE): string {
  return `http://mayfly-demand.${namespace}.svc:${DEMAND_PORT}/demand`;
}

/** Where KEDA finds the operators of a namespace: host:port. */
export function scalerAddress(namespace: string = PLATFORM_NAMESPACE): string {
  return `mayfly-scaler.${namespace}.svc:${SCALER_PORT}`;
}

/** The field manager of everything that the operator writes (server-side apply). */
export const FIELD_MANAGER = 'mayfly-operator';

export const LABELS = {
  name: 'app.kubernetes.io/name',
  partOf: 'app.kubernetes.io/part-of',
  managedBy: 'app.kubernetes.io/managed-by',
  /** On everything that belongs to a Function, and the selector of its pods. */
  function: `${GROUP}/function`,
  /** Tells pods of an image that is tried from the others. */
  track: `${GROUP}/track`,
  /** The same for a MayflyGateway. */
  gateway: `${GROUP}/gateway`,
} as const;

export const ANNOTATIONS = {
  /** Hash of what was applied last: tells a change of ours from a state that is as it should be. */
  applied: `${GROUP}/applied`,
  /** On pods of a gateway: the configuration that they should serve. A change of it makes the node look at once. */
  configuration: `${GROUP}/configuration`,
  /** On the template of such pods: hash of what they read once, when they start. */
  start: `${GROUP}/start`,
} as const;
