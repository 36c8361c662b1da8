/** How a cluster is reached: from within a pod, or by a kubeconfig. */
import { readFileSync } from 'node:fs';
import type { buildConnector } from 'undici';
import { MayflyError } from '../../model/errors.ts';

export interface Access {
  /** Without a slash at its end. */
  readonly server: string;
  readonly tls: Partial<buildConnector.BuildOptions>;
  /** The value of the Authorization header; asked before every request, because tokens change. */
  authorization(): Promise<string | null>;
}

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** Tokens of service accounts are renewed long before they end. */
const TOKEN_LIVES_MS = 60_000;

export type Environment = Readonly<Record<string, string | undefined>>;

/** What Kubernetes puts into every pod. null: this is no pod. */
export function podAccess(env: Environment, account: string = ACCOUNT): Access | null {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env;
  if (host === undefined || host === '') return null;
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    tls: { ca: readAccess(`${account}/ca.crt`) },
    authorization: tokenFile(`${account}/token`),
  };
}

/** A token that is read again every minute. */
export function tokenFile(path: string): () => Promise<string> {
  let token = '';
  let readAt = -Infinity;
  return async () => {
    const now = performance.now();
    if (now - readAt > TOKEN_LIVES_MS) {
      token = readAccess(path).trim();
      readAt = now;
    }
    return `Bearer ${token}`;
  };
}

/** Throws MayflyError. */
export function readAccess(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : message;
    throw new MayflyError(`Cannot read what the cluster is reached with: ${why}`, {
      where: path,
      fix: 'Name a kubeconfig with --kubeconfig or KUBECONFIG.',
      exitCode: 2,
      code: 'no-cluster',
      cause,
    });
  }
}
