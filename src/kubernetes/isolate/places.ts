/** Where a gateway's pods have what. */
export const PORTS = { http: 8080, https: 8443, metrics: 9090, admin: 9091 } as const;

/** Read-only, and changed as a whole by the node. */
export const CONFIG_FOLDER = '/etc/mayfly';
export const CONFIG_FILE = 'mayfly.yaml';
export const TLS_FOLDER = '/etc/mayfly-tls';
/** A token of the pod's own ServiceAccount, which the operator takes with reports and nobody else takes. */
export const TOKEN_FOLDER = '/etc/mayfly-token';
export const TOKEN_FILE = 'token';
/** Values from Secrets, a file each. */
export const SECRETS_FOLDER = '/etc/mayfly-secrets';
export const REGISTRY_FOLDER = '/etc/mayfly-registry';
/** Gone with the pod. */
export const STATE_FOLDER = '/var/lib/mayfly';

/** The ConfigMap with files of this number. */
export function filesName(gateway: string, index: number): string {
  return `${gateway}-files-${index}`;
}
