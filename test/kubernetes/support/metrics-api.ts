/** An API of metrics behind the API server (APIService), as an HPA asks it for External metrics. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubeObject } from '../../../src/kubernetes/cluster/objects.ts';

/** The authority, and a certificate for `names`: ca.crt, tls.crt and tls.key in `folder`. Answers the first. */
export function makeCertificates(folder: string, names: readonly string[]): Buffer {
  mkdirSync(folder, { recursive: true });
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  writeFileSync(join(folder, 'names'), `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}\n`);
  const key = ['-newkey', 'rsa:2048', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-days',
    '2',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-subj',
    '/CN=metrics',
  );
  openssl('req', ...key, '-keyout', 'tls.key', '-out', 'tls.csr', '-subj', `/CN=${names[0]}`);
  const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names'];
  openssl('x509', '-req', '-in', 'tls.csr', ...signed, '-days', '2', '-out', 'tls.crt');
  return readFileSync(join(folder, 'ca.crt'));
}

/** The name by which the API server checks who answers. */
export const METRICS_HOST = 'external-metrics.default.svc';

/** Says that external.metrics.k8s.io is on `port` of the loopback, where an external name leads to. */
export function externalMetricsApi(port: number, ca: Buffer): KubeObject[] {
  const [name = '', namespace = ''] = METRICS_HOST.split('.');
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { type: 'ExternalName', externalName: 'localhost' },
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1beta1.external.metrics.k8s.io' },
      spec: {
        service: { name, namespace, port },
        group: 'external.metrics.k8s.io',
        version: 'v1beta1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        caBundle: ca.toString('base64'),
      },
    },
  ];
}
