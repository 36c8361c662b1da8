/** A kubeconfig file (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/): what kubectl is configured with. */
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { MayflyError } from '../../model/errors.ts';
import { type Access, type Environment, podAccess, readAccess, tokenFile } from './access.ts';
import { execPlugin, execCredential } from './exec-credential.ts';

const cluster = z.object({
  server: z.url(),
  'certificate-authority': z.string().optional(),
  'certificate-authority-data': z.string().optional(),
  'insecure-skip-tls-verify': z.boolean().optional(),
  'tls-server-name': z.string().optional(),
});

const user = z.object({
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  'client-certificate': z.string().optional(),
  'client-certificate-data': z.string().optional(),
  'client-key': z.string().optional(),
  'client-key-data': z.string().optional(),
  exec: execPlugin.optional(),
});

const kubeconfig = z.object({
  'current-context': z.string().default(''),
  contexts: z
    .array(z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: z.string() }) }))
    .default([]),
  clusters: z.array(z.object({ name: z.string(), cluster })).default([]),
  users: z.array(z.object({ name: z.string(), user })).default([]),
});

export interface AccessOptions {
  readonly env: Environment;
  /** A kubeconfig; else KUBECONFIG, else the pod that this is, else ~/.kube/config. */
  readonly file?: string | undefined;
  /** Instead of its current context. */
  readonly context?: string | undefined;
}

/** Throws MayflyError. */
export function findAccess({ env, file, context }: AccessOptions): Access {
  const named = file ?? env['KUBECONFIG']?.split(delimiter).find((path) => path !== '');
  if (named !== undefined) return kubeconfigAccess(resolve(named), context);
  const pod = context === undefined ? podAccess(env) : null;
  return pod ?? kubeconfigAccess(join(homedir(), '.kube', 'config'), context);
}

function kubeconfigAccess(file: string, context: string | undefined): Access {
  const refuse = (what: string) =>
    new MayflyError(`Cannot use the kubeconfig: ${what}`, { where: file, exitCode: 2, code: 'no-cluster' });
  const text = readAccess(file);
  let document: unknown;
  try {
    document = parse(text);
  } catch (cause) {
    throw refuse(`it is not YAML (${(cause as Error).message.split('\n', 1)[0]})`);
  }
  const parsed = kubeconfig.safeParse(document);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refuse(`${issue?.path.join('.')} ${issue?.message}`);
  }
  const { contexts, clusters, users } = parsed.data;
  const wanted = context ?? parsed.data['current-context'];
  const chosen = contexts.find(({ name }) => name === wanted)?.context;
  if (chosen === undefined) throw refuse(`it has no context ${JSON.stringify(wanted)}`);
  const at = clusters.find(({ name }) => name === chosen.cluster)?.cluster;
  if (at === undefined) throw refuse(`it has no cluster ${JSON.stringify(chosen.cluster)}`);
  const who = users.find(({ name }) => name === chosen.user)?.user ?? {};
  const folder = dirname(file);
  const content = (data: string | undefined, path: string | undefined): Buffer | string | undefined => {
    if (data !== undefined) return Buffer.from(data, 'base64');
    return path === undefined ? undefined : readAccess(resolve(folder, path));
  };
  const tls = {
    ca: content(at['certificate-authority-data'], at['certificate-authority']),
    cert: content(who['client-certificate-data'], who['client-certificate']),
    key: content(who['client-key-data'], who['client-key']),
    servername: at['tls-server-name'],
    rejectUnauthorized: at['insecure-skip-tls-verify'] !== true,
  };
  return {
    server: at.server.replace(/\/+$/, ''),
    tls: Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined)),
    authorization: authorization(who, folder),
  };
}

function authorization(
  { token, tokenFile: file, exec }: z.output<typeof user>,
  folder: string,
): Access['authorization'] {
  if (token !== undefined) return async () => `Bearer ${token}`;
  if (file !== undefined) return tokenFile(resolve(folder, file));
  if (exec !== undefined) return execCredential(exec, folder);
  return async () => null;
}
